#include "twin.h"
#include "hash.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

/* ---- certificates ------------------------------------------------------------------------- */

/*
 * A certificate's DER. X509 keeps the TBSCertificate as it came and writes the rest anew, so that
 * it is what stands before the other two parts of the outer SEQUENCE.
 */
struct body {
    unsigned char *der;
    const unsigned char *at;
    size_t signed_size, algorithm_size;
    const ASN1_BIT_STRING *signature;
};

/* False without memory. The caller frees body->der. */
static bool open_body(const X509 *certificate, struct body *body)
{
    const X509_ALGOR *algorithm = NULL;
    int total, tag, class;
    long length = 0, rest;

    *body = (struct body){.der = NULL};
    total = i2d_X509(certificate, &body->der);
    body->at = body->der;
    X509_get0_signature(&body->signature, &algorithm, certificate);
    if (total <= 0 || (ASN1_get_object(&body->at, &length, &tag, &class, total) & 0x80))
        return false;
    body->algorithm_size = (size_t)i2d_X509_ALGOR(algorithm, NULL);
    rest = (long)body->algorithm_size + i2d_ASN1_BIT_STRING(body->signature, NULL);
    if (length <= rest)
        return false;
    body->signed_size = (size_t)(length - rest);
    return true;
}

static bool digest_signed(const struct body *body, uint8_t out[TG_SHA256_SIZE])
{
    return EVP_Digest(body->at, body->signed_size, out, NULL, tg_hash_sha256(), NULL) == 1;
}

bool tg_twin_signed(const X509 *certificate, uint8_t out[TG_SHA256_SIZE])
{
    struct body body;
    bool done = open_body(certificate, &body) && digest_signed(&body, out);

    OPENSSL_free(body.der);
    return done;
}

bool tg_twin_same(const X509 *one, const X509 *other)
{
    uint8_t digest[TG_SHA256_SIZE], others[TG_SHA256_SIZE];

    if (ASN1_INTEGER_cmp(X509_get0_serialNumber(one), X509_get0_serialNumber(other)) != 0)
        return false;
    return !tg_twin_signed(one, digest) || !tg_twin_signed(other, others) ||
           memcmp(digest, others, sizeof(digest)) == 0;
}

/* The digest of the certificate that BODY is with SIGNATURE, LENGTH bytes, in place of its own. */
static bool digest_with(const struct body *body, const unsigned char *signature, int length,
                        uint8_t out[TG_SHA256_SIZE])
{
    size_t kept = body->signed_size + body->algorithm_size;
    unsigned char outer[16], inner[16], *outer_end = outer, *inner_end = inner;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done;

    ASN1_put_object(&inner_end, 0, length + 1, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL);
    *inner_end++ = 0; /* unused bits */
    ASN1_put_object(&outer_end, 1, (int)(kept + (size_t)(inner_end - inner)) + length,
                    V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    done = context != NULL && EVP_DigestInit_ex(context, tg_hash_sha256(), NULL) &&
           EVP_DigestUpdate(context, outer, (size_t)(outer_end - outer)) &&
           EVP_DigestUpdate(context, body->at, kept) &&
           EVP_DigestUpdate(context, inner, (size_t)(inner_end - inner)) &&
           EVP_DigestUpdate(context, signature, (size_t)length) &&
           EVP_DigestFinal_ex(context, out, NULL);
    EVP_MD_CTX_free(context);
    return done;
}

/* 1 if DIGESTS have BODY with ORDER - s for the s of SIGNATURE, 0 if not, -1 without memory. */
static int has_twin(const struct tg_digests *digests, const struct body *body,
                    const ECDSA_SIG *signature, const BIGNUM *order)
{
    const BIGNUM *s = ECDSA_SIG_get0_s(signature);
    uint8_t digest[TG_SHA256_SIZE];
    ECDSA_SIG *other = ECDSA_SIG_new();
    BIGNUM *r = BN_dup(ECDSA_SIG_get0_r(signature)), *rest = BN_new();
    unsigned char *der = NULL;
    int length = 0, has = -1;

    if (BN_cmp(s, order) >= 0 || BN_is_zero(s) || BN_is_negative(s)) {
        has = 0; /* of no key with that order */
    } else if (other != NULL && r != NULL && rest != NULL && BN_sub(rest, order, s) &&
               ECDSA_SIG_set0(other, r, rest)) {
        r = rest = NULL;
        length = i2d_ECDSA_SIG(other, &der);
        if (length > 0 && digest_with(body, der, length, digest))
            has = tg_digests_have(digests, digest);
    }
    OPENSSL_free(der);
    BN_free(r);
    BN_free(rest);
    ECDSA_SIG_free(other);
    return has;
}

/* Not every libcrypto has all curves. */
static bool is_built_in(int curve)
{
    EC_builtin_curve all[128];
    size_t count = EC_get_builtin_curves(all, sizeof(all) / sizeof(all[0]));

    for (size_t i = 0; i < count && i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i].nid == curve)
            return true;
    return false;
}

/* Where nobody knows of which curve it is: those that certificates have, whose n is hardly longer
 * than r, a random number below it. */
static int has_twin_of_any(const struct tg_digests *digests, const struct body *body,
                           const ECDSA_SIG *signature)
{
    static const struct {
        int nid, bits;
    } curves[] = {
        {NID_X9_62_prime256v1, 256}, {NID_secp384r1, 384},       {NID_secp521r1, 521},
        {NID_secp256k1, 256},        {NID_secp224r1, 224},       {NID_brainpoolP256r1, 256},
        {NID_brainpoolP384r1, 384},  {NID_brainpoolP512r1, 512},
    };
    int least = BN_num_bits(ECDSA_SIG_get0_r(signature)), has = 0;

    for (size_t i = 0; has == 0 && i < sizeof(curves) / sizeof(curves[0]); i++) {
        EC_GROUP *group = NULL;

        if (curves[i].bits < least || curves[i].bits - least >= 64 || !is_built_in(curves[i].nid))
            continue;
        group = EC_GROUP_new_by_curve_name(curves[i].nid);
        has = group != NULL ? has_twin(digests, body, signature, EC_GROUP_get0_order(group)) : -1;
        EC_GROUP_free(group);
    }
    return has;
}

static int has_rewritten(const struct tg_digests *digests, const struct body *body,
                         const X509 *issuer)
{
    EVP_PKEY *key = issuer != NULL ? X509_get0_pubkey(issuer) : NULL;
    const unsigned char *at = ASN1_STRING_get0_data(body->signature);
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, ASN1_STRING_length(body->signature));
    BIGNUM *order = NULL;
    int has = -1;

    if (signature != NULL && key != NULL &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_ORDER, &order))
        has = has_twin(digests, body, signature, order);
    else if (signature != NULL)
        has = has_twin_of_any(digests, body, signature);
    BN_free(order);
    ECDSA_SIG_free(signature);
    return has;
}

static bool has_ecdsa(const X509 *certificate)
{
    int key = NID_undef;

    return OBJ_find_sigid_algs(X509_get_signature_nid(certificate), NULL, &key) &&
           key == NID_X9_62_id_ecPublicKey;
}

int tg_twin_has_certificate(const struct tg_digests *digests, const X509 *certificate,
                            const X509 *issuer)
{
    uint8_t digest[TG_SHA256_SIZE], whole[TG_SHA256_SIZE];
    struct body body;
    int has = -1;

    if (digests->count == 0)
        return 0;
    if (open_body(certificate, &body) && digest_signed(&body, digest) &&
        tg_hash_certificate(certificate, whole))
        has = tg_digests_have(digests, digest) || tg_digests_have(digests, whole);
    if (has == 0 && has_ecdsa(certificate)) {
        ERR_set_mark();
        has = has_rewritten(digests, &body, issuer);
        ERR_pop_to_mark();
    }
    OPENSSL_free(body.der);
    return has;
}

/* ---- keys --------------------------------------------------------------------------------- */

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

/* The digest of a SubjectPublicKeyInfo with BITS, malloc'd, which are taken over. 1, or -1. */
static int digest_info(int algorithm, int parameters, int curve, unsigned char *bits, int length,
                       uint8_t out[TG_SHA256_SIZE])
{
    X509_PUBKEY *info = X509_PUBKEY_new();
    int done = -1;

    if (info != NULL && bits != NULL &&
        X509_PUBKEY_set0_param(info, OBJ_nid2obj(algorithm), parameters,
                               curve != NID_undef ? OBJ_nid2obj(curve) : NULL, bits, length)) {
        bits = NULL;
        done = tg_hash_pubkey(info, out) ? 1 : -1;
    }
    OPENSSL_free(bits);
    X509_PUBKEY_free(info);
    return done;
}

static int digest_ec(EVP_PKEY *key, int curve, size_t form, uint8_t out[TG_SHA256_SIZE])
{
    BIGNUM *x = NULL, *y = NULL, *p = NULL;
    unsigned char *bits = NULL;
    int size = 0, length = 0;

    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_P, &p)) {
        size = (BN_num_bits(p) + 7) / 8;
        length = 1 + (ec_forms[form].has_y ? 2 : 1) * size;
        bits = OPENSSL_malloc((size_t)length);
    }
    if (bits != NULL) {
        bits[0] = ec_forms[form].first[BN_is_odd(y)];
        if (BN_bn2binpad(x, bits + 1, size) < 0 ||
            (ec_forms[form].has_y && BN_bn2binpad(y, bits + 1 + size, size) < 0))
            length = 0;
    }
    BN_free(x);
    BN_free(y);
    BN_free(p);
    if (length == 0) {
        OPENSSL_free(bits);
        return -1;
    }
    return digest_info(NID_X9_62_id_ecPublicKey, V_ASN1_OBJECT, curve, bits, length, out);
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
    return digest_info(rsa_forms[form].algorithm, rsa_forms[form].parameters, NID_undef, numbers,
                       length, out);
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
    if (nid != NID_X9_62_id_ecPublicKey || form >= sizeof(ec_forms) / sizeof(ec_forms[0]))
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
