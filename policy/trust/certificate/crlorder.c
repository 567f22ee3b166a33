#include "crlorder.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

/* NULL: there is none, or several. Needs no memory. */
static const ASN1_OCTET_STRING *extension(const X509_CRL *list, int nid)
{
    int at = X509_CRL_get_ext_by_NID(list, nid, -1);

    if (at < 0 || X509_CRL_get_ext_by_NID(list, nid, at) >= 0)
        return NULL;
    return X509_EXTENSION_get_data(X509_CRL_get_ext(list, at));
}

static bool is_alike(const X509_CRL *one, const X509_CRL *other)
{
    const ASN1_OCTET_STRING *scope = extension(one, NID_issuing_distribution_point);
    const ASN1_OCTET_STRING *others = extension(other, NID_issuing_distribution_point);

    if (X509_NAME_cmp(X509_CRL_get_issuer(one), X509_CRL_get_issuer(other)) != 0 ||
        X509_CRL_get_ext_by_NID(one, NID_delta_crl, -1) >= 0 || (scope == NULL) != (others == NULL))
        return false;
    return scope == NULL || ASN1_OCTET_STRING_cmp(scope, others) == 0;
}

/* As the DER of CRL numbers is, the longer is the greater (RFC 5280 section 5.2.3: not negative).
 */
static int compare_ages(const X509_CRL *one, const X509_CRL *other)
{
    const ASN1_OCTET_STRING *number = extension(one, NID_crl_number);
    const ASN1_OCTET_STRING *others = extension(other, NID_crl_number);
    int order = 0;

    if (number != NULL && others != NULL) {
        order = ASN1_STRING_length(number) - ASN1_STRING_length(others);
        if (order == 0)
            order = memcmp(ASN1_STRING_get0_data(number), ASN1_STRING_get0_data(others),
                           (size_t)ASN1_STRING_length(number));
    }
    return order != 0
               ? order
               : ASN1_TIME_compare(X509_CRL_get0_lastUpdate(one), X509_CRL_get0_lastUpdate(other));
}

bool tg_crl_revokes(X509_CRL *list, X509 *certificate)
{
    X509_REVOKED *entry;

    return X509_CRL_get0_by_cert(list, &entry, certificate) == 1;
}

/* 1, 0, or -1: it can't be told, though the key is of the right kind. */
static int is_genuine(X509_CRL *list, EVP_PKEY *key)
{
    int kind = NID_undef, verified;

    if (key == NULL)
        return 0;
    ERR_set_mark();
    verified = X509_CRL_verify(list, key);
    ERR_pop_to_mark();
    if (verified < 0 && OBJ_find_sigid_algs(X509_CRL_get_signature_nid(list), NULL, &kind) &&
        kind != EVP_PKEY_get_base_id(key))
        verified = 0;
    return verified;
}

X509_CRL *tg_crl_newest(const struct tg_crl_order *order, const STACK_OF(X509_CRL) *lists,
                        bool *unsure)
{
    X509_CRL *newest = order->taken;

    *unsure = false;
    for (int i = 0; i < sk_X509_CRL_num(lists); i++) {
        X509_CRL *list = sk_X509_CRL_value(lists, i);
        bool revokes = tg_crl_revokes(list, order->certificate);
        int age, genuine;

        if (list == newest || !is_alike(list, order->taken))
            continue;
        age = compare_ages(list, newest);
        if (age < 0 || (age == 0 && !revokes))
            continue;
        genuine = is_genuine(list, order->key);
        if (genuine == 1)
            newest = list;
        *unsure = *unsure || (genuine < 0 && revokes);
    }
    return newest != order->taken ? newest : NULL;
}
