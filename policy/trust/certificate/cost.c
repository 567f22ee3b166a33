#include "cost.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

/* A comparison takes below a microsecond, and both names and their frames have some bytes. */
#define BYTES_BY_BYTES 32

/* libcrypto bounds a modulus at 16384 bits, and the exponent from 3072 bits on, not below. */
static unsigned long exponent_bits(const EVP_PKEY *key)
{
    BIGNUM *exponent = NULL;
    unsigned long bits = 0;

    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent))
        bits = (unsigned long)BN_num_bits(exponent);
    BN_free(exponent);
    return bits > 17 ? bits : 17;
}

unsigned long tg_cost_key(const X509 *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    unsigned long bits = key != NULL ? (unsigned long)EVP_PKEY_get_bits(key) : 0;

    if (key == NULL)
        return 0;
    if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS"))
        return (bits / 256) * (bits / 256) * exponent_bits(key) / 43;
    if (EVP_PKEY_is_a(key, "DSA"))
        return bits * bits / 1024;
    return EVP_PKEY_is_a(key, "EC") ? bits * bits / 128 : 500;
}

static unsigned long size_of(const X509 *certificate, int nid)
{
    int at = X509_get_ext_by_NID(certificate, nid, -1);

    return at < 0 ? 0
                  : (unsigned long)ASN1_STRING_length(
                        X509_EXTENSION_get_data(X509_get_ext(certificate, at)));
}

unsigned long tg_cost_names(const STACK_OF(X509) *path)
{
    unsigned long names = 0, all = 0;

    for (int i = 0; i < sk_X509_num(path); i++) {
        const X509 *certificate = sk_X509_value(path, i);
        size_t subject = 0;

        all += names * size_of(certificate, NID_name_constraints) / BYTES_BY_BYTES;
        X509_NAME_get0_der(X509_get_subject_name(certificate), NULL, &subject);
        names += size_of(certificate, NID_subject_alt_name) + subject;
    }
    return all;
}
