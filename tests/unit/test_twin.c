/* What is distrusted is known in whatever bytes it comes: certificates signed anew, keys encoded
 * anew. */
#include "countdown.h"
#include "distrust.h"
#include "hash.h"
#include "twin.h"
#include "twinkey.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define DAY (24L * 3600)

/* A certificate with the key OWN, which is shown as INFO where that isn't NULL. */
static X509 *make(const char *subject, const char *issuer, EVP_PKEY *own, EVP_PKEY *signer,
                  const X509_PUBKEY *info)
{
    X509 *made = X509_new();
    X509_NAME *name = X509_get_subject_name(made), *other = X509_get_issuer_name(made);
    unsigned char *der = NULL;
    const unsigned char *at;
    int length;

    assert_true(X509_set_version(made, X509_VERSION_3));
    assert_true(ASN1_INTEGER_set(X509_get_serialNumber(made), 1));
    assert_true(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const void *)subject, -1, -1, 0));
    assert_true(
        X509_NAME_add_entry_by_txt(other, "CN", MBSTRING_ASC, (const void *)issuer, -1, -1, 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), -DAY));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), DAY));
    assert_true(X509_set_pubkey(made, own));
    if (info != NULL) {
        X509_PUBKEY *into = X509_get_X509_PUBKEY(made);
        ASN1_OBJECT *algorithm = NULL;
        const unsigned char *bits = NULL;
        X509_ALGOR *whole = NULL;
        const void *value = NULL;
        int size = 0, type = V_ASN1_UNDEF;

        assert_true(X509_PUBKEY_get0_param(&algorithm, &bits, &size, &whole, info));
        X509_ALGOR_get0(NULL, &type, &value, whole);
        if (type == V_ASN1_OBJECT)
            value = OBJ_dup(value);
        else if (type != V_ASN1_UNDEF && type != V_ASN1_NULL)
            value = ASN1_STRING_dup(value);
        assert_true(X509_PUBKEY_set0_param(into, OBJ_dup(algorithm), type, (void *)value,
                                           OPENSSL_memdup(bits, (size_t)size), size));
    }
    assert_true(X509_sign(made, signer, EVP_sha256()) > 0);
    length = i2d_X509(made, &der);
    at = der;
    X509_free(made);
    made = d2i_X509(NULL, &at, length);
    assert_non_null(made);
    OPENSSL_free(der);
    return made;
}

/* Makes another signature of SIGNATURE by a key of ORDER. */
typedef ECDSA_SIG *change_signature(const ECDSA_SIG *signature, const BIGNUM *order);

static X509 *copy(const X509 *certificate, EVP_PKEY *signer, change_signature *change)
{
    X509 *made = X509_dup(certificate);
    const ASN1_BIT_STRING *bits = NULL;
    const unsigned char *at;
    unsigned char *der = NULL;
    ECDSA_SIG *old, *changed;
    BIGNUM *order = NULL;
    int length;

    X509_get0_signature(&bits, NULL, made);
    at = ASN1_STRING_get0_data(bits);
    old = d2i_ECDSA_SIG(NULL, &at, ASN1_STRING_length(bits));
    assert_true(EVP_PKEY_get_bn_param(signer, OSSL_PKEY_PARAM_EC_ORDER, &order));
    changed = change(old, order);
    length = i2d_ECDSA_SIG(changed, &der);
    assert_true(ASN1_STRING_set((ASN1_BIT_STRING *)bits, der, length));
    OPENSSL_free(der);
    ECDSA_SIG_free(old);
    ECDSA_SIG_free(changed);
    BN_free(order);
    return made;
}

static ECDSA_SIG *with_s(const ECDSA_SIG *signature, BIGNUM *s)
{
    ECDSA_SIG *made = ECDSA_SIG_new();

    assert_true(ECDSA_SIG_set0(made, BN_dup(ECDSA_SIG_get0_r(signature)), s));
    return made;
}

static ECDSA_SIG *negate(const ECDSA_SIG *signature, const BIGNUM *order)
{
    BIGNUM *s = BN_new();

    assert_true(BN_sub(s, order, ECDSA_SIG_get0_s(signature)));
    return with_s(signature, s);
}

static ECDSA_SIG *spoil(const ECDSA_SIG *signature, const BIGNUM *order)
{
    BIGNUM *s = BN_dup(ECDSA_SIG_get0_s(signature));

    (void)order;
    assert_true(BN_add_word(s, 1));
    return with_s(signature, s);
}

/* What a policy with the digest MADE of a certificate says of another, whose issuer is given. */
static int distrusts(const X509 *named, bool (*made)(const X509 *, uint8_t *), const X509 *shown,
                     const X509 *issuer)
{
    uint8_t digest[1][TG_SHA256_SIZE];
    const struct tg_policy policy = {.distrusted_certificates = {digest, 1}};

    assert_true(made(named, digest[0]));
    return tg_distrusts(&policy, shown, issuer);
}

static void under_a_key(const char *curve)
{
    EVP_PKEY *key = EVP_EC_gen(curve);
    X509 *root = make("ca", "ca", key, key, NULL), *leaf = make("leaf", "ca", key, key, NULL);
    X509 *other = make("other", "ca", key, key, NULL);
    X509 *twin = copy(leaf, key, negate), *junk = copy(leaf, key, spoil);
    X509 *root_twin = copy(root, key, negate);

    assert_int_equal(X509_verify(twin, key), 1);
    assert_int_equal(X509_verify(junk, key), 0);
    assert_int_equal(distrusts(leaf, tg_twin_signed, twin, root), 1);
    assert_int_equal(distrusts(leaf, tg_twin_signed, junk, root), 1);
    assert_int_equal(distrusts(leaf, tg_twin_signed, other, root), 0);
    assert_int_equal(distrusts(leaf, tg_hash_certificate, leaf, root), 1);
    assert_int_equal(distrusts(leaf, tg_hash_certificate, twin, root), 1);
    assert_int_equal(distrusts(twin, tg_hash_certificate, leaf, root), 1);
    assert_int_equal(distrusts(leaf, tg_hash_certificate, twin, NULL), 1);
    assert_int_equal(distrusts(leaf, tg_hash_certificate, other, root), 0);
    assert_int_equal(distrusts(leaf, tg_hash_certificate, other, NULL), 0);
    assert_int_equal(distrusts(root, tg_hash_certificate, root_twin, NULL), 1);
    assert_true(tg_twin_same(leaf, twin));
    assert_false(tg_twin_same(leaf, other));
    X509_free(root);
    X509_free(leaf);
    X509_free(other);
    X509_free(twin);
    X509_free(junk);
    X509_free(root_twin);
    EVP_PKEY_free(key);
}

static void a_signature_written_anew_makes_no_other_certificate(void **state)
{
    (void)state;
    under_a_key("P-256");
    under_a_key("P-384");
    under_a_key("P-521");
    under_a_key("secp256k1");
}

static X509_PUBKEY *ec_info(EVP_PKEY *key, const char *encoding, const char *format)
{
    EVP_PKEY *changed = EVP_PKEY_dup(key);
    X509_PUBKEY *info = NULL;

    assert_true(EVP_PKEY_set_utf8_string_param(changed, OSSL_PKEY_PARAM_EC_ENCODING, encoding));
    assert_true(EVP_PKEY_set_utf8_string_param(changed, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                               format));
    assert_true(X509_PUBKEY_set(&info, changed));
    EVP_PKEY_free(changed);
    return info;
}

static X509_PUBKEY *rsa_info(EVP_PKEY *key, int algorithm, int parameters)
{
    X509_PUBKEY *info = X509_PUBKEY_new();
    unsigned char *numbers = NULL;
    int length = i2d_PublicKey(key, &numbers);

    assert_true(
        X509_PUBKEY_set0_param(info, OBJ_nid2obj(algorithm), parameters, NULL, numbers, length));
    return info;
}

/* Whether a policy with the digest MADE of NAMED distrusts a certificate that shows SHOWN. */
static int distrusts_key(const X509_PUBKEY *named, bool (*made)(const X509_PUBKEY *, uint8_t *),
                         const X509_PUBKEY *shown, EVP_PKEY *key)
{
    uint8_t digest[1][TG_SHA256_SIZE];
    const struct tg_policy policy = {.distrusted_keys = {digest, 1}};
    X509 *certificate = make("leaf", "ca", key, key, shown);
    int distrusted;

    assert_true(made(named, digest[0]));
    distrusted = tg_distrusts(&policy, certificate, NULL);
    X509_free(certificate);
    return distrusted;
}

/* Each of FORMS in a policy, the first PINS of them also as pins, against each; and OTHER. */
static void each_for_each(X509_PUBKEY **forms, size_t count, size_t pins, X509_PUBKEY *other,
                          EVP_PKEY *key)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            assert_int_equal(distrusts_key(forms[i], tg_twin_key, forms[j], key), 1);
            if (i < pins)
                assert_int_equal(distrusts_key(forms[i], tg_hash_pubkey, forms[j], key), 1);
        }
        assert_int_equal(distrusts_key(other, tg_twin_key, forms[i], key), 0);
        assert_int_equal(distrusts_key(other, tg_hash_pubkey, forms[i], key), 0);
    }
    for (size_t i = 0; i < count; i++)
        X509_PUBKEY_free(forms[i]);
    X509_PUBKEY_free(other);
}

static void an_ec_key_is_one_in_all_its_encodings(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256"), *others = EVP_EC_gen("P-256");
    X509_PUBKEY *forms[] = {
        ec_info(key, "named_curve", "uncompressed"), ec_info(key, "named_curve", "compressed"),
        ec_info(key, "named_curve", "hybrid"),       ec_info(key, "explicit", "uncompressed"),
        ec_info(key, "explicit", "compressed"),
    };

    (void)state;
    each_for_each(forms, sizeof(forms) / sizeof(forms[0]), sizeof(forms) / sizeof(forms[0]),
                  ec_info(others, "named_curve", "uncompressed"), key);
    EVP_PKEY_free(key);
    EVP_PKEY_free(others);
}

static void an_rsa_key_is_one_in_all_its_encodings(void **state)
{
    EVP_PKEY *key = EVP_RSA_gen(2048), *others = EVP_RSA_gen(2048);
    X509_PUBKEY *forms[] = {
        rsa_info(key, NID_rsaEncryption, V_ASN1_NULL),
        rsa_info(key, NID_rsaEncryption, V_ASN1_UNDEF),
        rsa_info(key, NID_rsassaPss, V_ASN1_UNDEF),
        rsa_info(key, NID_rsa, V_ASN1_NULL),
        rsa_info(key, NID_rsa, V_ASN1_UNDEF),
    };

    (void)state;
    each_for_each(forms, sizeof(forms) / sizeof(forms[0]), 5,
                  rsa_info(others, NID_rsaEncryption, V_ASN1_NULL), key);
    EVP_PKEY_free(key);
    EVP_PKEY_free(others);
}

static EVP_PKEY *dsa_key(void)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
    EVP_PKEY *parameters = NULL, *key = NULL;

    assert_true(EVP_PKEY_paramgen_init(context) > 0);
    assert_true(EVP_PKEY_CTX_set_dsa_paramgen_bits(context, 1024) > 0);
    assert_true(EVP_PKEY_paramgen(context, &parameters) > 0);
    EVP_PKEY_CTX_free(context);
    context = EVP_PKEY_CTX_new(parameters, NULL);
    assert_true(EVP_PKEY_keygen_init(context) > 0 && EVP_PKEY_keygen(context, &key) > 0);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(parameters);
    return key;
}

/* KEY as X509_PUBKEY_set(3) writes it, but for the algorithm's name. */
static X509_PUBKEY *dsa_info(EVP_PKEY *key, int algorithm)
{
    X509_PUBKEY *info = NULL;
    const unsigned char *bits = NULL;
    X509_ALGOR *whole = NULL;
    const void *value = NULL;
    int size = 0, type = V_ASN1_UNDEF;

    assert_true(X509_PUBKEY_set(&info, key));
    assert_true(X509_PUBKEY_get0_param(NULL, &bits, &size, &whole, info));
    X509_ALGOR_get0(NULL, &type, &value, whole);
    assert_true(X509_PUBKEY_set0_param(info, OBJ_nid2obj(algorithm), type, ASN1_STRING_dup(value),
                                       OPENSSL_memdup(bits, (size_t)size), size));
    return info;
}

static void a_dsa_key_is_one_by_all_its_names(void **state)
{
    EVP_PKEY *key = dsa_key(), *others = dsa_key();
    X509_PUBKEY *forms[] = {dsa_info(key, NID_dsa), dsa_info(key, NID_dsa_2),
                            dsa_info(key, NID_dsaWithSHA1)};

    (void)state;
    each_for_each(forms, sizeof(forms) / sizeof(forms[0]), 1, dsa_info(others, NID_dsa), key);
    EVP_PKEY_free(key);
    EVP_PKEY_free(others);
}

#if OWN_ALLOCATOR
/* What is distrusted never passes because memory ran out on the way to that. */
static void fail_each(const struct tg_policy *policy, const X509 *shown, const X509 *issuer)
{
    bool spent = true;

    for (long number = 1; spent; number++) {
        countdown = number;
        if (tg_distrusts(policy, shown, issuer) == 0) {
            countdown = 0;
            fail_msg("not distrusted when allocation %ld failed", number);
        }
        spent = countdown == 0;
        countdown = 0;
    }
}
#endif

static void without_memory_nothing_is_let_through(void **state)
{
    (void)state;
#if OWN_ALLOCATOR
    EVP_PKEY *key = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(2048);
    X509_PUBKEY *point = ec_info(key, "named_curve", "compressed");
    X509_PUBKEY *numbers = rsa_info(rsa, NID_rsaEncryption, V_ASN1_UNDEF);
    X509 *root = make("ca", "ca", key, key, NULL), *leaf = make("leaf", "ca", key, key, point);
    X509 *twin = copy(leaf, key, negate), *other = make("leaf", "ca", rsa, rsa, numbers);
    uint8_t digest[1][TG_SHA256_SIZE];
    const struct tg_policy certificates = {.distrusted_certificates = {digest, 1}};
    const struct tg_policy keys = {.distrusted_keys = {digest, 1}};

    assert_true(tg_hash_certificate(leaf, digest[0]));
    assert_int_equal(tg_distrusts(&certificates, leaf, root), 1);
    assert_int_equal(tg_distrusts(&certificates, twin, root), 1);
    fail_each(&certificates, twin, root);
    fail_each(&certificates, twin, NULL);
    assert_true(tg_twin_key(X509_get_X509_PUBKEY(leaf), digest[0]));
    fail_each(&keys, leaf, NULL);
    assert_true(tg_twin_key(X509_get_X509_PUBKEY(other), digest[0]));
    fail_each(&keys, other, NULL);
    X509_free(root);
    X509_free(leaf);
    X509_free(twin);
    X509_free(other);
    X509_PUBKEY_free(point);
    X509_PUBKEY_free(numbers);
    EVP_PKEY_free(key);
    EVP_PKEY_free(rsa);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_written_anew_makes_no_other_certificate),
        cmocka_unit_test(an_ec_key_is_one_in_all_its_encodings),
        cmocka_unit_test(an_rsa_key_is_one_in_all_its_encodings),
        cmocka_unit_test(a_dsa_key_is_one_by_all_its_names),
        cmocka_unit_test(without_memory_nothing_is_let_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
