/*
 * What no chain, however hostile, makes an evaluation exceed: path.h's bounds, counted at
 * libcrypto's door. Chains of many certificates of one name, none of which has key identifiers,
 * so that every one could be the issuer of every other.
 */
#include "evaluate.h"
#include "match.h"
#include "path.h"
#include "verdict.h"
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#define DAY     (24L * 3600)
#define SECONDS 20 /* for one evaluation: far more than it takes, even under a sanitizer */

static unsigned verifications, certificates, readings;

/* The engine's calls come here: this program is linked before libcrypto. */
int X509_verify_cert(X509_STORE_CTX *context)
{
    static int (*next)(X509_STORE_CTX *);
    int verified;

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "X509_verify_cert");
    verified = next(context);
    verifications++;
    certificates += (unsigned)sk_X509_num(X509_STORE_CTX_get0_chain(context));
    return verified;
}

void *X509_get_ext_d2i(const X509 *certificate, int nid, int *critical, int *at)
{
    static void *(*next)(const X509 *, int, int *, int *);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "X509_get_ext_d2i");
    readings += nid == NID_subject_alt_name;
    return next(certificate, nid, critical, at);
}

static void set_name(X509_NAME *name, const char *cn)
{
    assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const void *)cn, -1, -1, 0));
}

/* SUBJECT's certificate for KEY by ISSUER, signed with SIGNER; a CA's, or that of a leaf. */
static X509 *make(const char *subject, const char *issuer, EVP_PKEY *key, EVP_PKEY *signer, bool ca)
{
    static long serial;
    X509 *made = X509_new();
    X509_EXTENSION *constraints = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints,
                                                      ca ? "critical,CA:TRUE" : "CA:FALSE");

    assert_non_null(made);
    assert_true(X509_set_version(made, X509_VERSION_3));
    assert_true(ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial));
    set_name(X509_get_subject_name(made), subject);
    assert_true(X509_set_issuer_name(made, X509_get_subject_name(made)));
    if (issuer != NULL) {
        X509_NAME *name = X509_NAME_new();

        set_name(name, issuer);
        assert_true(X509_set_issuer_name(made, name));
        X509_NAME_free(name);
    }
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), -DAY));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), DAY));
    assert_true(X509_set_pubkey(made, key));
    assert_true(X509_add_ext(made, constraints, -1));
    assert_true(X509_sign(made, signer, EVP_sha256()) > 0);
    X509_EXTENSION_free(constraints);
    return made;
}

static EVP_PKEY *new_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    assert_non_null(key);
    return key;
}

static void push(STACK_OF(X509) *stack, X509 *certificate)
{
    assert_true(sk_X509_push(stack, certificate) > 0);
}

/* COUNT certificates for SUBJECT by ISSUER, each with a key of its own; none signed by ISSUER. */
static void add_decoys(STACK_OF(X509) *stack, const char *subject, const char *issuer, int count)
{
    for (int i = 0; i < count; i++) {
        EVP_PKEY *key = new_key();

        push(stack, make(subject, issuer, key, key, true));
        EVP_PKEY_free(key);
    }
}

/* A root, its intermediate and that one's leaf; room for what else is sent or trusted. */
struct world {
    EVP_PKEY *root_key, *key;
    X509 *root, *intermediate, *leaf;
    STACK_OF(X509) *anchors, *sent, *intermediates;
    struct tg_words hostnames; /* none: any name will do */
};

static void begin(struct world *world)
{
    world->hostnames = (struct tg_words){NULL, 0};
    world->root_key = new_key();
    world->key = new_key();
    world->root = make("root", NULL, world->root_key, world->root_key, true);
    world->intermediate = make("layer 0", "root", world->key, world->root_key, true);
    world->leaf = make("host.test", "layer 0", world->key, world->key, false);
    world->anchors = sk_X509_new_null();
    world->sent = sk_X509_new_null();
    world->intermediates = sk_X509_new_null();
    assert_non_null(world->intermediates);
}

static void end(struct world *world)
{
    EVP_PKEY_free(world->root_key);
    EVP_PKEY_free(world->key);
    X509_free(world->root);
    X509_free(world->intermediate);
    X509_free(world->leaf);
    sk_X509_pop_free(world->anchors, X509_free);
    sk_X509_pop_free(world->sent, X509_free);
    sk_X509_pop_free(world->intermediates, X509_free);
}

static void push_ref(STACK_OF(X509) *stack, X509 *certificate)
{
    assert_true(X509_up_ref(certificate));
    push(stack, certificate);
}

/* The verdict on the world's leaf, reached within all bounds. */
static struct tg_verdict *evaluate(const struct world *world)
{
    const struct tg_rule rule = {.anchors = world->anchors,
                                 .anchors_only = true,
                                 .intermediates = world->intermediates,
                                 .hostnames = world->hostnames,
                                 .skip_hostname = world->hostnames.count == 0};
    const struct tg_match match = {.kind = TG_MATCH_RULE, .rule = &rule, .pattern = "*"};
    const struct tg_query query = {.host = "host.test", .leaf = world->leaf, .sent = world->sent};
    time_t begun = time(NULL);
    struct tg_verdict *verdict;

    verifications = certificates = 0;
    verdict = tg_evaluate(NULL, &match, &query);
    assert_non_null(verdict);
    /* One more of each: the path without an anchor that is reported where there is no other. */
    assert_in_range(verifications, 0, TG_PATH_MAX_ATTEMPTS + 1);
    assert_in_range(certificates, 0, TG_PATH_MAX_CHECKED + TG_PATH_MAX_LENGTH);
    assert_in_range(time(NULL) - begun, 0, SECONDS);
    return verdict;
}

static bool found(const struct tg_verdict *verdict, enum tg_finding_kind kind)
{
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (verdict->findings[i].kind == kind)
            return true;
    return false;
}

static void expect_accepted(const struct world *world)
{
    struct tg_verdict *verdict = evaluate(world);

    assert_int_equal(verdict->result, TG_RESULT_UNSPECIFIED);
    assert_int_equal(sk_X509_num(verdict->path), 3);
    tg_verdict_free(verdict);
}

static void expect_refused(const struct world *world, enum tg_finding_kind kind)
{
    struct tg_verdict *verdict = evaluate(world);

    assert_false(verdict->accepted);
    assert_true(found(verdict, kind));
    tg_verdict_free(verdict);
}

static void the_real_issuer_is_found_behind_namesakes(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    add_decoys(world.sent, "layer 0", "root", 20);
    push_ref(world.sent, world.intermediate);
    expect_accepted(&world);
    end(&world);
}

static void a_crowd_of_namesakes_ends_the_search(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    add_decoys(world.sent, "layer 0", "root", TG_PATH_MAX_SENT - 1);
    push_ref(world.sent, world.intermediate);
    expect_refused(&world, TG_PATH_TOO_LONG);
    assert_true(verifications > 1);
    end(&world);
}

static void hundreds_that_were_sent_are_not_looked_at(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    push_ref(world.sent, world.intermediate);
    add_decoys(world.sent, "layer 0", "root", 300);
    expect_refused(&world, TG_PATH_TOO_LONG);
    assert_int_equal(verifications, 0);
    end(&world);
}

/* 7 certificates a layer, each of which every one of the layer below could have: 7^9 paths. */
static void fill_layers(struct world *world)
{
    static const char *const names[] = {"layer 0", "layer 1", "layer 2", "layer 3", "layer 4",
                                        "layer 5", "layer 6", "layer 7", "layer 8", "root"};

    for (size_t layer = 0; layer + 1 < sizeof(names) / sizeof(names[0]); layer++)
        add_decoys(world->sent, names[layer], names[layer + 1], 7);
}

static void layers_of_namesakes_below_an_anchor_are_bounded(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    fill_layers(&world);
    expect_refused(&world, TG_PATH_TOO_LONG);
    assert_true(verifications > 1);
    end(&world);
}

static void layers_of_namesakes_below_nothing_are_bounded(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    add_decoys(world.anchors, "stranger", NULL, 1);
    fill_layers(&world);
    expect_refused(&world, TG_MISSING_ISSUER);
    assert_int_equal(verifications, 1);
    end(&world);
}

static void layers_of_namesakes_do_not_hide_a_good_issuer(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    push_ref(world.sent, world.intermediate);
    fill_layers(&world);
    expect_accepted(&world);
    end(&world);
}

static void certificates_for_each_other_are_bounded(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    add_decoys(world.sent, "layer 0", "layer 1", TG_PATH_MAX_SENT / 2);
    add_decoys(world.sent, "layer 1", "layer 0", TG_PATH_MAX_SENT / 2);
    expect_refused(&world, TG_PATH_TOO_LONG);
    end(&world);
}

static void self_issued_certificates_are_bounded(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    add_decoys(world.sent, "layer 0", "layer 0", TG_PATH_MAX_SENT);
    expect_refused(&world, TG_PATH_TOO_LONG);
    end(&world);
}

static void hundreds_of_intermediates_in_a_policy_are_bounded(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    add_decoys(world.intermediates, "layer 0", "root", 600);
    expect_refused(&world, TG_PATH_TOO_LONG);
    push_ref(world.sent, world.intermediate);
    expect_accepted(&world);
    end(&world);
}

static void hundreds_of_anchors_of_one_name_are_bounded(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.sent, world.intermediate);
    push_ref(world.anchors, world.root);
    add_decoys(world.anchors, "root", NULL, 300);
    expect_accepted(&world);
    X509_free(sk_X509_shift(world.anchors));
    expect_refused(&world, TG_PATH_TOO_LONG);
    end(&world);
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
    (void)state;
    assert_true(seconds_of_names(900, false) < 0.2);
    seconds_of_names(20, false);
    seconds_of_names(900, true);
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
    char name[16] = "layer 0", issuer[16];

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
        cmocka_unit_test(the_real_issuer_is_found_behind_namesakes),
        cmocka_unit_test(a_crowd_of_namesakes_ends_the_search),
        cmocka_unit_test(hundreds_that_were_sent_are_not_looked_at),
        cmocka_unit_test(layers_of_namesakes_below_an_anchor_are_bounded),
        cmocka_unit_test(layers_of_namesakes_below_nothing_are_bounded),
        cmocka_unit_test(layers_of_namesakes_do_not_hide_a_good_issuer),
        cmocka_unit_test(certificates_for_each_other_are_bounded),
        cmocka_unit_test(self_issued_certificates_are_bounded),
        cmocka_unit_test(hundreds_of_intermediates_in_a_policy_are_bounded),
        cmocka_unit_test(hundreds_of_anchors_of_one_name_are_bounded),
        cmocka_unit_test(names_are_not_compared_for_nobody),
        cmocka_unit_test(names_are_not_read_for_each_that_is_wanted),
        cmocka_unit_test(a_namesake_of_the_anchor_vouches_for_nobody),
        cmocka_unit_test(costly_keys_are_not_tried_for_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
