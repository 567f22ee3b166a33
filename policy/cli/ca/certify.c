#include "certify.h"
#include "pattern.h"
#include "text.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <time.h>

enum {
    RSA_BITS = 3072,
    SERIAL_BITS = 159, /* 20 bytes, and positive: RFC 5280 section 4.1.2.2 */
    HOUR = 3600,
    DAY = 86400,
    COMMON_NAME_MOST = 64 /* RFC 5280, ub-common-name */
};

EVP_PKEY *tg_certify_key(bool rsa)
{
    return rsa ? EVP_RSA_gen(RSA_BITS) : EVP_EC_gen("P-256");
}

struct extension {
    int nid;
    const char *value; /* NULL: left out */
};

static bool add_extensions(X509 *certificate, X509 *issuer, const struct extension *extensions,
                           size_t count)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        X509_EXTENSION *one;
        bool added;

        if (extensions[i].value == NULL)
            continue;
        one = X509V3_EXT_conf_nid(NULL, &context, extensions[i].nid, extensions[i].value);
        added = one != NULL && X509_add_ext(certificate, one, -1) == 1;
        X509_EXTENSION_free(one);
        if (!added)
            return false;
    }
    return true;
}

static bool set_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    bool set = number != NULL &&
               BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
               BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;

    BN_free(number);
    return set;
}

/*
 * From an hour ago, for clients whose clocks are slow, for DAYS together: who counts the days of
 * a certificate counts these. END bounds it; NULL: nothing does.
 */
static bool set_dates(X509 *certificate, int days, const ASN1_TIME *end)
{
    time_t begin = time(NULL) - HOUR, last = begin + (time_t)days * DAY - 1;

    if (ASN1_TIME_set(X509_getm_notBefore(certificate), begin) == NULL)
        return false;
    if (end != NULL && X509_cmp_time(end, &last) <= 0)
        return X509_set1_notAfter(certificate, end) == 1;
    return ASN1_TIME_set(X509_getm_notAfter(certificate), last) != NULL;
}

static X509 *begin(EVP_PKEY *key, const char *common_name, int days, X509 *issuer)
{
    X509 *certificate = X509_new();
    X509_NAME *subject = certificate != NULL ? X509_get_subject_name(certificate) : NULL;

    if (subject != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
        set_serial(certificate) &&
        set_dates(certificate, days, issuer != NULL ? X509_get0_notAfter(issuer) : NULL) &&
        (common_name == NULL ||
         X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                    (const unsigned char *)common_name, -1, -1, 0) == 1) &&
        X509_set_issuer_name(certificate,
                             issuer != NULL ? X509_get_subject_name(issuer) : subject) == 1 &&
        X509_set_pubkey(certificate, key) == 1)
        return certificate;
    X509_free(certificate);
    return NULL;
}

/* Signs CERTIFICATE with KEY, after EXTENSIONS were added; frees it where that fails. */
static X509 *finish(X509 *certificate, X509 *issuer, EVP_PKEY *key,
                    const struct extension *extensions, size_t count)
{
    if (certificate != NULL &&
        add_extensions(certificate, issuer != NULL ? issuer : certificate, extensions, count) &&
        X509_sign(certificate, key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

X509 *tg_certify_root(EVP_PKEY *key, const char *subject, int days, const struct tg_altnames *only)
{
    struct tg_buf constraints = {0};
    X509 *root = NULL;

    if (only->count > 0)
        tg_altnames_constraints(&constraints, only);
    if (!constraints.failed) {
        const struct extension extensions[] = {
            {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
            {NID_key_usage, "critical,keyCertSign,cRLSign"},
            {NID_name_constraints, constraints.text},
            {NID_subject_key_identifier, "hash"},
        };

        root = finish(begin(key, subject, days, NULL), NULL, key, extensions,
                      sizeof(extensions) / sizeof(extensions[0]));
    }
    tg_buf_free(&constraints);
    return root;
}

/* The subject's name, which an address can't be: it would be taken for a DNS name, and measured by
 * constraints for these. */
static struct tg_altnames first_domain(const struct tg_altnames *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->item[i].kind != TG_PATTERN_ADDRESS)
            return (struct tg_altnames){&names->item[i], 1};
    return (struct tg_altnames){NULL, 0};
}

X509 *tg_certify_leaf(EVP_PKEY *key, const struct tg_altnames *names, bool client, int days,
                      X509 *issuer, EVP_PKEY *issuer_key)
{
    const struct tg_altnames first = first_domain(names);
    struct tg_buf subject = {0}, san = {0};
    X509 *leaf = NULL;
    bool named;

    tg_altnames_text(&subject, &first, "");
    named = subject.length > 0 && subject.length <= COMMON_NAME_MOST;
    /* Without a subject the alternative names are critical: RFC 5280 section 4.2.1.6. */
    tg_buf_add(&san, named ? "" : "critical,");
    tg_altnames_san(&san, names);
    if (!subject.failed && !san.failed) {
        const struct extension extensions[] = {
            {NID_basic_constraints, "critical,CA:FALSE"},
            {NID_key_usage, EVP_PKEY_is_a(key, "RSA") ? "critical,digitalSignature,keyEncipherment"
                                                      : "critical,digitalSignature"},
            {NID_ext_key_usage, client ? "clientAuth" : "serverAuth"},
            {NID_subject_alt_name, san.text},
            {NID_subject_key_identifier, "hash"},
            {NID_authority_key_identifier, "keyid:always"},
        };

        leaf = finish(begin(key, named ? subject.text : NULL, days, issuer), issuer, issuer_key,
                      extensions, sizeof(extensions) / sizeof(extensions[0]));
    }
    tg_buf_free(&subject);
    tg_buf_free(&san);
    return leaf;
}

bool tg_certify_signed(X509 *certificate, X509 *root)
{
    bool is = X509_check_issued(root, certificate) == X509_V_OK &&
              X509_verify(certificate, X509_get0_pubkey(root)) == 1;

    ERR_clear_error();
    return is;
}

int tg_certify_check(X509 *leaf, X509 *root, bool client)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int error = X509_V_ERR_OUT_OF_MEM;

    if (store != NULL && context != NULL && X509_STORE_add_cert(store, root) == 1 &&
        X509_STORE_CTX_init(context, store, leaf, NULL) == 1 &&
        X509_STORE_CTX_set_default(context, client ? "ssl_client" : "ssl_server") == 1)
        error = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return error;
}
