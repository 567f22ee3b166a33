#include "hook.h"
#include "name.h"
#include <openssl/x509v3.h>
#include <string.h>

static GENERAL_NAME *make_name(const char *host)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);
    ASN1_IA5STRING *text = NULL;
    GENERAL_NAME *name = GENERAL_NAME_new();

    if (name == NULL)
        goto fail;
    if (address != NULL) {
        GENERAL_NAME_set0_value(name, GEN_IPADD, address);
        return name;
    }
    text = ASN1_IA5STRING_new();
    if (text == NULL || !ASN1_STRING_set(text, host, (int)strlen(host)))
        goto fail;
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    return name;
fail:
    ASN1_OCTET_STRING_free(address);
    ASN1_IA5STRING_free(text);
    GENERAL_NAME_free(name);
    return NULL;
}

/*
 * The encoding is made anew, so that copies and re-encodings of the certificate carry the
 * name as well. An application that pins the whole certificate then refuses: it fails closed.
 */
int tg_alias_add(X509 *leaf, const char *host)
{
    GENERAL_NAMES *names = NULL;
    GENERAL_NAME *name = NULL;
    unsigned char *encoding = NULL;
    int added = 0;

    if (tg_name_matches(leaf, host, 0))
        return 1;
    names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    if (names == NULL)
        names = GENERAL_NAMES_new();
    name = make_name(host);
    if (names == NULL || name == NULL || !sk_GENERAL_NAME_push(names, name))
        goto end;
    name = NULL;
    added = X509_add1_ext_i2d(leaf, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE) == 1 &&
            i2d_re_X509_tbs(leaf, &encoding) > 0;
end:
    OPENSSL_free(encoding);
    GENERAL_NAME_free(name);
    GENERAL_NAMES_free(names);
    return added;
}
