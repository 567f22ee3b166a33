#include "twin.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

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
