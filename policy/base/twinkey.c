#include "twinkey.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

/* The encodings of keys, the first of each type the one that all are brought to: the first byte of
 * a point, for an even and an odd y (SEC 1 section 2.3.3), and what names the algorithm. */
static const struct {
    uint8_t first[2];
    bool has_y;
} ec_forms[] = {
    {{0x04, 0x04}, true},
    {{0x02, 0x03}, false},
    {{0x06, 0x07}, true},
};
static const struct {
    int algorithm, parameters;
} rsa_forms[] = {
    {NID_rsaEncryption, V_ASN1_NULL},
    {NID_rsaEncryption, V_ASN1_UNDEF},
    {NID_rsassaPss, V_ASN1_UNDEF},
    {NID_rsa, V_ASN1_NULL}, /* X.509's of 1988, which libcrypto reads as the first */
    {NID_rsa, V_ASN1_UNDEF},
};

/* Behind these, each with the curve written out (RFC 3279 section 2.3.5): its generator in one of
 * the first two, with its seed and without. */
#define EC_FORMS     (sizeof(ec_forms) / sizeof(ec_forms[0]))
#define ALL_EC_FORMS (EC_FORMS + 4 * EC_FORMS)

/* ECParameters as the FORM behind EC_FORMS has them. NULL without memory. */
static ASN1_STRING *write_curve(int curve, size_t form)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(curve);
    ASN1_STRING *written = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
    unsigned char *der = NULL;
    int length = 0;

    if (group != NULL && written != NULL) {
        EC_GROUP_set_asn1_flag(group, OPENSSL_EC_EXPLICIT_CURVE);
        EC_GROUP_set_point_conversion_form(group, form / EC_FORMS % 2 == 0
                                                      ? POINT_CONVERSION_UNCOMPRESSED
                                                      : POINT_CONVERSION_COMPRESSED);
        if (form / EC_FORMS / 2 == 1)
            (void)EC_GROUP_set_seed(group, NULL, 0);
        length = i2d_ECPKParameters(group, &der);
    }
    EC_GROUP_free(group);
    if (length > 0) {
        ASN1_STRING_set0(written, der, length);
        return written;
    }
    ASN1_STRING_free(written);
    return NULL;
}

/* The digest of a SubjectPublicKeyInfo with VALUE, of type PARAMETERS, and BITS, malloc'd; the
 * last two are taken over. 1, or -1. */
static int digest_info(int algorithm, int parameters, void *value, unsigned char *bits, int length,
                       uint8_t out[TG_SHA256_SIZE])
{
    X509_PUBKEY *info = X509_PUBKEY_new();
    int done = -1;

    if (info != NULL && bits != NULL &&
        X509_PUBKEY_set0_param(info, OBJ_nid2obj(algorithm), parameters, value, bits, length)) {
        bits = NULL;
        value = NULL;
        done = tg_hash_pubkey(info, out) ? 1 : -1;
    }
    OPENSSL_free(bits);
    if (parameters == V_ASN1_SEQUENCE)
        ASN1_STRING_free(value);
    X509_PUBKEY_free(info);
    return done;
}

static int digest_ec(EVP_PKEY *key, int curve, size_t form, uint8_t out[TG_SHA256_SIZE])
{
    size_t point = form % EC_FORMS;
    ASN1_STRING *written = NULL;
    BIGNUM *x = NULL, *y = NULL, *p = NULL;
    unsigned char *bits = NULL;
    int size = 0, length = 0;

    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_P, &p)) {
        size = (BN_num_bits(p) + 7) / 8;
        length = 1 + (ec_forms[point].has_y ? 2 : 1) * size;
        bits = OPENSSL_malloc((size_t)length);
    }
    if (bits != NULL) {
        bits[0] = ec_forms[point].first[BN_is_odd(y)];
        if (BN_bn2binpad(x, bits + 1, size) < 0 ||
            (ec_forms[point].has_y && BN_bn2binpad(y, bits + 1 + size, size) < 0))
            length = 0;
    }
    BN_free(x);
    BN_free(y);
    BN_free(p);
    if (length == 0) {
        OPENSSL_free(bits);
        return -1;
    }
    if (form < EC_FORMS)
        return digest_info(NID_X9_62_id_ecPublicKey, V_ASN1_OBJECT, OBJ_nid2obj(curve), bits,
                           length, out);
    written = write_curve(curve, form - EC_FORMS);
    if (written == NULL) {
        OPENSSL_free(bits);
        return -1;
    }
    return digest_info(NID_X9_62_id_ecPublicKey, V_ASN1_SEQUENCE, written, bits, length, out);
}

/* RSAPublicKey (RFC 8017 appendix A.1.1), malloc'd; NULL without memory. */
static unsigned char *rsa_numbers(const BIGNUM *n, const BIGNUM *e, int *length)
{
    ASN1_INTEGER *modulus = BN_to_ASN1_INTEGER(n, NULL), *exponent = BN_to_ASN1_INTEGER(e, NULL);
    int size = modulus != NULL && exponent != NULL
                   ? i2d_ASN1_INTEGER(modulus, NULL) + i2d_ASN1_INTEGER(exponent, NULL)
                   : 0;
    unsigned char *der = NULL, *at;

    *length = ASN1_object_size(1, size, V_ASN1_SEQUENCE);
    if (size > 0 && *length > 0)
        der = OPENSSL_malloc((size_t)*length);
    at = der;
    if (der != NULL) {
        ASN1_put_object(&at, 1, size, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
        (void)i2d_ASN1_INTEGER(modulus, &at);
        (void)i2d_ASN1_INTEGER(exponent, &at);
    }
    ASN1_INTEGER_free(modulus);
    ASN1_INTEGER_free(exponent);
    return der;
}

static int digest_rsa(EVP_PKEY *key, size_t form, uint8_t out[TG_SHA256_SIZE])
{
    BIGNUM *n = NULL, *e = NULL;
    unsigned char *numbers = NULL;
    int length = 0;

    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e))
        numbers = rsa_numbers(n, e, &length);
    BN_free(n);
    BN_free(e);
    return digest_info(rsa_forms[form].algorithm, rsa_forms[form].parameters, NULL, numbers, length,
                       out);
}

/* The curve of KEY, or NID_undef: one without a name, of which nobody knows another encoding. */
static int curve_of(EVP_PKEY *key)
{
    char name[80];
    size_t length;
    int curve;

    if (!EVP_PKEY_get_group_name(key, name, sizeof(name), &length))
        return NID_undef;
    curve = EC_curve_nist2nid(name);
    return curve != NID_undef ? curve : OBJ_txt2nid(name);
}

static int algorithm_of(const X509_PUBKEY *key)
{
    ASN1_OBJECT *algorithm = NULL;

    return X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL, key) ? OBJ_obj2nid(algorithm)
                                                                     : NID_undef;
}

bool tg_twin_is_rsa(const X509_PUBKEY *key)
{
    int nid = algorithm_of(key);

    return nid == NID_rsaEncryption || nid == NID_rsassaPss || nid == NID_rsa;
}

/* By any of the names that libcrypto takes for it. */
static bool is_dsa(int algorithm)
{
    return algorithm == NID_dsa || algorithm == NID_dsa_2 || algorithm == NID_dsaWithSHA ||
           algorithm == NID_dsaWithSHA1 || algorithm == NID_dsaWithSHA1_2;
}

static int digest_dsa(EVP_PKEY *key, uint8_t out[TG_SHA256_SIZE])
{
    X509_PUBKEY *info = NULL;
    int made = X509_PUBKEY_set(&info, key) && tg_hash_pubkey(info, out) ? 1 : -1;

    X509_PUBKEY_free(info);
    return made;
}

/* The digest of KEY in its FORM, from 0: 1; 0: there is no such form, -1: that can't be told. */
static int digest_form(const X509_PUBKEY *key, size_t form, uint8_t out[TG_SHA256_SIZE])
{
    EVP_PKEY *read = X509_PUBKEY_get0(key);
    int nid = algorithm_of(key), curve;

    if (read == NULL)
        return 0; /* one that signs nothing */
    if (tg_twin_is_rsa(key))
        return form < sizeof(rsa_forms) / sizeof(rsa_forms[0]) ? digest_rsa(read, form, out) : 0;
    if (is_dsa(nid))
        return form == 0 ? digest_dsa(read, out) : 0;
    if (nid != NID_X9_62_id_ecPublicKey || form >= ALL_EC_FORMS)
        return 0;
    curve = curve_of(read);
    return curve != NID_undef ? digest_ec(read, curve, form, out) : -1;
}

bool tg_twin_key(const X509_PUBKEY *key, uint8_t out[TG_SHA256_SIZE])
{
    int made;

    ERR_set_mark();
    made = digest_form(key, 0, out);
    ERR_pop_to_mark();
    return made == 0 ? tg_hash_pubkey(key, out) : made == 1;
}

int tg_twin_has_key(const struct tg_digests *digests, const X509_PUBKEY *key)
{
    uint8_t digest[TG_SHA256_SIZE];
    int made, has;

    if (digests->count == 0)
        return 0;
    made = tg_hash_pubkey(key, digest) ? 1 : -1;
    has = made == 1 && tg_digests_have(digests, digest);
    ERR_set_mark();
    for (size_t form = 0; made == 1 && !has; form++) {
        made = digest_form(key, form, digest);
        has = made == 1 && tg_digests_have(digests, digest);
    }
    ERR_pop_to_mark();
    return made < 0 ? -1 : has;
}
