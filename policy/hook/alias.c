#include "alias.h"
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

/* The DER of an extension with the names that LEAF has and HOST; malloc'd by libcrypto. */
static int make_extension(const X509 *leaf, const char *host, unsigned char **der)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    GENERAL_NAME *name = make_name(host);
    X509_EXTENSION *extension = NULL;
    int size = 0;

    if (names == NULL)
        names = GENERAL_NAMES_new();
    if (names != NULL && name != NULL && sk_GENERAL_NAME_push(names, name)) {
        name = NULL;
        extension = X509V3_EXT_i2d(NID_subject_alt_name, 0, names);
    }
    if (extension != NULL)
        size = i2d_X509_EXTENSION(extension, der);
    X509_EXTENSION_free(extension);
    GENERAL_NAME_free(name);
    GENERAL_NAMES_free(names);
    return size;
}

/*
 * The encoding is made anew, so that copies and re-encodings of the certificate carry the
 * name as well. An application that pins the whole certificate then refuses: it fails closed.
 */
bool tg_alias_add(const struct tg_cryptolib *library, X509 *theirs, X509 *leaf, const char *host)
{
    const struct tg_libcrypto *crypto = &library->crypto;
    X509_EXTENSION *extension = NULL;
    unsigned char *der = NULL;
    const unsigned char *end = NULL;
    int size, place;
    bool added;

    size = make_extension(leaf, host, &der);
    end = der;
    if (size > 0)
        extension = crypto->d2i_X509_EXTENSION(NULL, &end, size);
    OPENSSL_free(der);
    if (extension == NULL)
        return false;
    place = crypto->X509_get_ext_by_NID(theirs, NID_subject_alt_name, -1);
    if (place >= 0)
        crypto->X509_EXTENSION_free(crypto->X509_delete_ext(theirs, place));
    added =
        crypto->X509_add_ext(theirs, extension, place) && crypto->i2d_re_X509_tbs(theirs, NULL) > 0;
    crypto->X509_EXTENSION_free(extension);
    return added;
}
