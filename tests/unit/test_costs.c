/*
 * What no certificate, however hostile, makes an evaluation spend: names, constraints and keys
 * that cost much are looked at only where an anchor vouches for them, and not again and again.
 */
#include "world.h"

static unsigned readings;

/* The engine's calls come here: this program is linked before libcrypto. */
void *X509_get_ext_d2i(const X509 *certificate, int nid, int *critical, int *at)
{
    static void *(*next)(const X509 *, int, int *, int *);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "X509_get_ext_d2i");
    readings += nid == NID_subject_alt_name;
    return next(certificate, nid, critical, at);
}

/* COUNT names or constraints, as X509V3_EXT_conf_nid reads them, each of KIND. */
static void add_names(X509 *certificate, int nid, const char *kind, int count)
{
    size_t room = (size_t)count * 64, length = 0;
    char *list = malloc(room);
    X509_EXTENSION *extension;

    assert_non_null(list);
    for (int i = 0; i < count; i++) {
        length += (size_t)snprintf(list + length, room - length, "%s%s%d@host.test",
                                   i > 0 ? "," : "", kind, i);
    }
    extension = X509V3_EXT_conf_nid(NULL, NULL, nid, list);
    assert_non_null(extension);
    assert_true(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
    free(list);
}

/* Seconds of CPU for one evaluation of a chain whose CAs each have COUNT name constraints. */
static double seconds_of_names(int count, bool anchored)
{
    struct world world;
    clock_t start;
    double spent;

    begin(&world);
    X509_free(world.leaf);
    world.leaf = make("host.test", "layer 0", world.key, world.key, false);
    add_names(world.leaf, NID_subject_alt_name, "email:someone", count);
    add_names(world.intermediate, NID_name_constraints, "excluded;email:other", count);
    assert_true(X509_sign(world.leaf, world.key, EVP_sha256()) > 0);
    assert_true(X509_sign(world.intermediate, world.root_key, EVP_sha256()) > 0);
    push_ref(world.sent, world.intermediate);
    push_ref(anchored ? world.anchors : world.sent, world.root);
    start = clock();
    if (anchored)
        expect_accepted(&world);
    else
        expect_refused(&world, count > 100 ? TG_NAME_CONSTRAINT : TG_UNTRUSTED_ROOT);
    spent = (double)(clock() - start) / CLOCKS_PER_SEC;
    end(&world);
    return spent;
}

/* libcrypto's own bound is a million comparisons for each certificate and CA. */
static void names_are_not_compared_for_nobody(void **state)
{
    double vouched = seconds_of_names(900, true), unknown = seconds_of_names(900, false);

    (void)state;
    assert_true(2 * unknown < vouched);
    seconds_of_names(20, false);
}

/* However many names a rule would take: those of the certificate may fill 100 kB. */
static void names_are_not_read_for_each_that_is_wanted(void **state)
{
    const char *wanted[100];
    struct world world;

    (void)state;
    begin(&world);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        wanted[i] = "other.test";
    world.hostnames = (struct tg_words){wanted, sizeof(wanted) / sizeof(wanted[0])};
    push_ref(world.anchors, world.root);
    push_ref(world.sent, world.intermediate);
    readings = 0;
    expect_refused(&world, TG_NAME_MISMATCH);
    assert_in_range(readings, 1, 16);
    end(&world);
}

/* CERTIFICATE's key is number OWN, and its issuer's number ISSUER; 0: it doesn't say. */
static void set_key_ids(X509 *certificate, unsigned char own, unsigned char issuer)
{
    AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
    ASN1_OCTET_STRING *number = ASN1_OCTET_STRING_new();

    authority->keyid = ASN1_OCTET_STRING_new();
    assert_true(ASN1_OCTET_STRING_set(authority->keyid, &issuer, 1));
    assert_true(ASN1_OCTET_STRING_set(number, &own, 1));
    if (own != 0)
        assert_true(X509_add1_ext_i2d(certificate, NID_subject_key_identifier, number, 0, 0));
    if (issuer != 0)
        assert_true(X509_add1_ext_i2d(certificate, NID_authority_key_identifier, authority, 0, 0));
    AUTHORITY_KEYID_free(authority);
    ASN1_OCTET_STRING_free(number);
}

/*
 * Whoever takes the anchor's name for a root of his own: the walk goes on from there to the anchor,
 * libcrypto ends there.
 */
static void a_namesake_of_the_anchor_vouches_for_nobody(void **state)
{
    struct world world;
    X509 *namesake;

    (void)state;
    begin(&world);
    namesake = make("root", NULL, world.key, world.key, true);
    set_key_ids(namesake, 2, 0);
    assert_true(X509_sign(namesake, world.key, EVP_sha256()) > 0);
    set_key_ids(world.root, 1, 0);
    assert_true(X509_sign(world.root, world.root_key, EVP_sha256()) > 0);
    set_key_ids(world.intermediate, 0, 2);
    add_names(world.leaf, NID_subject_alt_name, "email:someone", 900);
    add_names(world.intermediate, NID_name_constraints, "excluded;email:other", 900);
    assert_true(X509_sign(world.leaf, world.key, EVP_sha256()) > 0);
    assert_true(X509_sign(world.intermediate, world.key, EVP_sha256()) > 0);
    push_ref(world.anchors, world.root);
    push_ref(world.sent, world.intermediate);
    push(world.sent, namesake);
    expect_refused(&world, TG_UNTRUSTED_ROOT);
    expect_refused(&world, TG_NAME_CONSTRAINT);
    end(&world);
}

/* A 3072-bit exponent costs as much as making a signature, forty times what an honest one does. */
static void costly_keys_are_not_tried_for_nobody(void **state)
{
    BIGNUM *exponent = BN_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    struct world world;
    char name[24] = "layer 0", issuer[24];

    (void)state;
    assert_true(BN_set_bit(exponent, 2000) && BN_add_word(exponent, 1));
    assert_true(EVP_PKEY_keygen_init(context) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 3072) > 0);
    assert_true(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, exponent) > 0);
    assert_true(EVP_PKEY_generate(context, &key) > 0);
    begin(&world);
    X509_free(world.leaf);
    world.leaf = make("host.test", name, world.key, key, false);
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "layer %d", i);
        snprintf(issuer, sizeof issuer, "layer %d", i + 1);
        push(world.sent, make(name, issuer, key, key, true));
    }
    expect_refused(&world, TG_BAD_SIGNATURE);
    end(&world);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    BN_free(exponent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_not_compared_for_nobody),
        cmocka_unit_test(names_are_not_read_for_each_that_is_wanted),
        cmocka_unit_test(a_namesake_of_the_anchor_vouches_for_nobody),
        cmocka_unit_test(costly_keys_are_not_tried_for_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
