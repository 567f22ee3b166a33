/*
 * No finding hides another: every pair of defects in one chain, under each kind of trust, must be
 * found as two. What can't be had at once stands in `apart`, with why.
 */
#include "evaluate.h"
#include "hash.h"
#include "holding.h"
#include "match.h"
#include "mem.h"
#include "rules.h"
#include "verdict.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/tls1.h>
#include <openssl/x509v3.h>

#define DAY (24L * 3600)

enum defect {
    WEAK_KEY,
    WEAK_CA_KEY,
    WEAK_SIGNATURE,
    EXPIRED,
    NOT_YET_VALID, /* the CA, as the leaf may have expired */
    UNTRUSTED_ROOT,
    MISSING_ISSUER,
    NAME_MISMATCH,
    WRONG_PURPOSE,
    NOT_A_CA,
    PATH_TOO_LONG,
    NAME_CONSTRAINT,
    CRITICAL_EXTENSION,
    BAD_SIGNATURE,
    REVOKED,
    DISTRUSTED,
    LEAF_PIN,
    CA_PIN,
    TLS_FLOOR,
    SELF_SIGNED,
    DEFECTS,
};

/* What is found of each, and of which certificate. */
static const struct {
    enum tg_finding_kind kind;
    int depth;
} expected[DEFECTS] = {
    [WEAK_KEY] = {TG_WEAK_KEY, 0},
    [WEAK_CA_KEY] = {TG_WEAK_KEY, 1},
    [WEAK_SIGNATURE] = {TG_WEAK_SIGNATURE, 0},
    [EXPIRED] = {TG_CERTIFICATE_EXPIRED, 0},
    [NOT_YET_VALID] = {TG_CERTIFICATE_NOT_YET_VALID, 1},
    [UNTRUSTED_ROOT] = {TG_UNTRUSTED_ROOT, 2},
    [MISSING_ISSUER] = {TG_MISSING_ISSUER, 0},
    [NAME_MISMATCH] = {TG_NAME_MISMATCH, 0},
    [WRONG_PURPOSE] = {TG_WRONG_PURPOSE, 0},
    [NOT_A_CA] = {TG_NOT_A_CA, 1},
    [PATH_TOO_LONG] = {TG_PATH_TOO_LONG, 2},
    [NAME_CONSTRAINT] = {TG_NAME_CONSTRAINT, 0},
    [CRITICAL_EXTENSION] = {TG_UNKNOWN_CRITICAL_EXTENSION, 0},
    [BAD_SIGNATURE] = {TG_BAD_SIGNATURE, 0},
    [REVOKED] = {TG_REVOKED, 0},
    [DISTRUSTED] = {TG_DISTRUSTED, 0},
    [LEAF_PIN] = {TG_LEAF_PIN_MISMATCH, 0},
    [CA_PIN] = {TG_CA_PIN_MISMATCH, 0},
    [TLS_FLOOR] = {TG_TLS_VERSION, 0},
    [SELF_SIGNED] = {TG_SELF_SIGNED_LEAF, 0},
};

#define BIT(defect) (1UL << (defect))

/* Defects of a CA certificate, which has to be there to have one. */
#define OF_CA                                                                                      \
    (BIT(WEAK_CA_KEY) | BIT(NOT_YET_VALID) | BIT(NOT_A_CA) | BIT(PATH_TOO_LONG) |                  \
     BIT(NAME_CONSTRAINT) | BIT(UNTRUSTED_ROOT))

/* Each with what can't be had beside it. */
static const unsigned long apart[DEFECTS] = {
    /* Without the issuer's key, signatures of certificate and CRL can't be judged. */
    [MISSING_ISSUER] = OF_CA | BIT(BAD_SIGNATURE) | BIT(REVOKED) | BIT(SELF_SIGNED),
    /* It has no issuer; its own signature says nothing about it, whatever digest is in it. */
    [SELF_SIGNED] = OF_CA | BIT(BAD_SIGNATURE) | BIT(REVOKED) | BIT(WEAK_SIGNATURE),
};

enum trust {
    ANCHORS,
    APP_ANCHORS,
    BOTH_ANCHORS,
    CA_ANCHOR, /* the intermediate */
    HOSTNAME,
    TRUSTS,
};

/* The root is not on the path where the CA ends it. */
static const unsigned long without[TRUSTS] = {
    [CA_ANCHOR] = BIT(UNTRUSTED_ROOT) | BIT(PATH_TOO_LONG),
};

static EVP_PKEY *root_key, *ca_key, *leaf_key, *weak_leaf_key, *weak_ca_key;

static void extend(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(extension);
    assert_true(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

static X509 *begin(const char *subject, const char *issuer, EVP_PKEY *key, long from, long until)
{
    X509 *made = X509_new();

    assert_true(X509_set_version(made, X509_VERSION_3));
    assert_true(ASN1_INTEGER_set(X509_get_serialNumber(made), 7));
    assert_true(X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "O", MBSTRING_ASC,
                                           (const void *)subject, -1, -1, 0));
    assert_true(X509_NAME_add_entry_by_txt(X509_get_issuer_name(made), "O", MBSTRING_ASC,
                                           (const void *)issuer, -1, -1, 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), from));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), until));
    assert_true(X509_set_pubkey(made, key));
    return made;
}

static X509 *make_root(unsigned long has)
{
    X509 *root = begin("root", "root", root_key, -DAY, DAY);

    extend(root, NID_basic_constraints,
           has & BIT(PATH_TOO_LONG) ? "critical,CA:TRUE,pathlen:0" : "critical,CA:TRUE");
    assert_true(X509_sign(root, root_key, EVP_sha256()) > 0);
    return root;
}

static EVP_PKEY *key_of_ca(unsigned long has)
{
    return has & BIT(WEAK_CA_KEY) ? weak_ca_key : ca_key;
}

static X509 *make_ca(unsigned long has)
{
    X509 *ca = begin("ca", "root", key_of_ca(has), has & BIT(NOT_YET_VALID) ? DAY : -DAY, 2 * DAY);

    extend(ca, NID_basic_constraints, has & BIT(NOT_A_CA) ? "CA:FALSE" : "critical,CA:TRUE");
    if (has & BIT(NAME_CONSTRAINT))
        extend(ca, NID_name_constraints, "critical,permitted;DNS:elsewhere.test");
    assert_true(X509_sign(ca, root_key, EVP_sha256()) > 0);
    return ca;
}

static X509 *make_leaf(unsigned long has)
{
    EVP_PKEY *key = has & BIT(WEAK_KEY) ? weak_leaf_key : leaf_key;
    EVP_PKEY *signer = has & BIT(SELF_SIGNED)     ? key
                       : has & BIT(BAD_SIGNATURE) ? leaf_key
                                                  : key_of_ca(has);
    X509 *leaf = begin("leaf", has & BIT(SELF_SIGNED) ? "leaf" : "ca", key, -2 * DAY,
                       has & BIT(EXPIRED) ? -DAY : DAY);

    /* A wrong signature by a key of another kind would say so itself. */
    if (has & BIT(BAD_SIGNATURE) && has & BIT(WEAK_CA_KEY))
        signer = weak_leaf_key;
    extend(leaf, NID_subject_alt_name, has & BIT(NAME_MISMATCH) ? "DNS:not.test" : "DNS:host.test");
    if (has & BIT(WRONG_PURPOSE))
        extend(leaf, NID_ext_key_usage, "clientAuth");
    if (has & BIT(CRITICAL_EXTENSION))
        extend(leaf, NID_netscape_comment, "critical,unknown");
    assert_true(X509_sign(leaf, signer, has & BIT(WEAK_SIGNATURE) ? EVP_sha1() : EVP_sha256()) > 0);
    return leaf;
}

/* The CA's list, on which the leaf stands. */
static X509_CRL *make_list(unsigned long has)
{
    X509_CRL *list = X509_CRL_new();
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    ASN1_TIME *from = X509_gmtime_adj(NULL, -DAY), *until = X509_gmtime_adj(NULL, DAY);
    X509 *ca = make_ca(has);

    assert_true(ASN1_INTEGER_set(serial, has & BIT(REVOKED) ? 7 : 8));
    assert_true(X509_REVOKED_set_serialNumber(entry, serial) &&
                X509_REVOKED_set_revocationDate(entry, from));
    assert_true(X509_CRL_set_version(list, X509_CRL_VERSION_2) &&
                X509_CRL_set_issuer_name(list, X509_get_subject_name(ca)) &&
                X509_CRL_set1_lastUpdate(list, from) && X509_CRL_set1_nextUpdate(list, until) &&
                X509_CRL_add0_revoked(list, entry));
    assert_true(X509_CRL_sign(list, key_of_ca(has), EVP_sha256()) > 0);
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    X509_free(ca);
    return list;
}

struct world {
    X509 *root, *ca, *leaf;
    STACK_OF(X509) *sent;
    struct tg_holding *anchors;
    STACK_OF(X509_CRL) *lists;
    X509_STORE *store;
    X509_STORE_CTX *app;
    char *words[1];
    uint8_t pin[1][TG_SHA256_SIZE];
    uint8_t distrusted[1][TG_SHA256_SIZE];
    tg_policy policy;
    struct tg_rule rule;
    struct tg_query query;
};

static void trust(struct world *world, unsigned long has, enum trust trusts)
{
    X509 *anchor = trusts == CA_ANCHOR ? world->ca : world->root;
    bool none = has & (BIT(UNTRUSTED_ROOT) | BIT(MISSING_ISSUER));

    world->anchors = tg_holding_new();
    world->store = X509_STORE_new();
    world->app = X509_STORE_CTX_new();
    if (!none && trusts != APP_ANCHORS)
        assert_true(tg_holding_add(world->anchors, anchor));
    if (!none && (trusts == APP_ANCHORS || trusts == BOTH_ANCHORS))
        assert_true(X509_STORE_add_cert(world->store, anchor));
    assert_true(X509_STORE_CTX_init(world->app, world->store, world->leaf, world->sent));
    world->rule.anchors = world->anchors;
    world->rule.anchors_only = trusts != APP_ANCHORS && trusts != BOTH_ANCHORS;
    if (trusts == HOSTNAME)
        world->rule.hostnames = (struct tg_words){(void *)world->words, 1};
}

static void demand(struct world *world, unsigned long has)
{
    memset(world->pin, 0x5a, sizeof world->pin);
    if (has & BIT(LEAF_PIN))
        world->rule.leaf_pins = (struct tg_digests){world->pin, 1};
    if (has & BIT(CA_PIN))
        world->rule.ca_pins = (struct tg_digests){world->pin, 1};
    if (has & BIT(TLS_FLOOR)) {
        world->rule.set |= TG_KEY_BIT(TG_KEY_MIN_TLS);
        world->rule.min_tls = TG_MIN_TLS_1_3;
    }
    if (has & BIT(REVOKED)) {
        world->rule.revocation = TG_REVOCATION_CRL;
        world->lists = sk_X509_CRL_new_null();
        assert_true(sk_X509_CRL_push(world->lists, make_list(has)) > 0);
        world->rule.crls = world->lists;
    }
    if (has & BIT(DISTRUSTED)) {
        assert_true(tg_hash_spki(world->leaf, world->distrusted[0]));
        world->policy.distrusted_keys = (struct tg_digests){world->distrusted, 1};
    }
}

static void setup(struct world *world, unsigned long has, enum trust trusts)
{
    *world = (struct world){.root = make_root(has), .ca = make_ca(has), .leaf = make_leaf(has)};
    rules_init(&world->policy);
    world->policy.references = 1;
    world->sent = sk_X509_new_null();
    world->words[0] = "host.test";
    if (!(has & BIT(MISSING_ISSUER)))
        assert_true(sk_X509_push(world->sent, world->ca) > 0 &&
                    sk_X509_push(world->sent, world->root) > 0);
    trust(world, has, trusts);
    demand(world, has);
    world->query = (struct tg_query){
        .host = trusts == HOSTNAME ? "other.test" : "host.test",
        .leaf = world->leaf,
        .sent = world->sent,
        .app = world->app,
        .tls_version = TLS1_2_VERSION,
        .security_level = -1,
    };
}

static void teardown(struct world *world)
{
    tg_arena_free(world->policy.arena);
    X509_STORE_CTX_free(world->app);
    X509_STORE_free(world->store);
    sk_X509_free(world->sent);
    tg_holding_free(world->anchors);
    sk_X509_CRL_pop_free(world->lists, X509_CRL_free);
    X509_free(world->root);
    X509_free(world->ca);
    X509_free(world->leaf);
}

static bool finds(const struct tg_verdict *verdict, enum defect defect)
{
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (verdict->findings[i].kind == expected[defect].kind &&
            verdict->findings[i].depth == expected[defect].depth)
            return true;
    return false;
}

/* 1 if what HAS isn't found, after saying what is. */
static int miss(unsigned long has, enum trust trusts)
{
    struct world world;
    struct tg_match match = {.kind = TG_MATCH_RULE, .rule = &world.rule, .pattern = "*"};
    struct tg_verdict *verdict;
    int missed = 0;

    setup(&world, has, trusts);
    verdict = tg_evaluate(&world.policy, &match, &world.query);
    assert_non_null(verdict);
    assert_true(verdict->accepted == (has == 0));
    for (int defect = 0; defect < DEFECTS; defect++)
        if (has & BIT(defect) && !finds(verdict, defect)) {
            missed = 1;
            print_error("trust %u, defects %lx: no %s@%d\n", trusts, has,
                        tg_finding_info(expected[defect].kind)->name, expected[defect].depth);
        }
    for (size_t i = 0; missed && i < verdict->finding_count; i++)
        print_error("  %s@%d: %s\n", tg_finding_info(verdict->findings[i].kind)->name,
                    verdict->findings[i].depth, verdict->findings[i].text);
    tg_verdict_free(verdict);
    teardown(&world);
    return missed;
}

static bool together(enum defect one, enum defect other, enum trust trusts)
{
    return !(apart[one] & BIT(other)) && !(apart[other] & BIT(one)) &&
           !(without[trusts] & (BIT(one) | BIT(other)));
}

static void no_defect_is_accepted(void **state)
{
    (void)state;
    for (enum trust trusts = 0; trusts < TRUSTS; trusts++)
        assert_int_equal(miss(0, trusts), 0);
}

static void each_pair_is_found(void **state)
{
    int missed = 0;

    (void)state;
    for (enum trust trusts = 0; trusts < TRUSTS; trusts++)
        for (enum defect one = 0; one < DEFECTS; one++)
            for (enum defect other = one; other < DEFECTS; other++)
                if (together(one, other, trusts))
                    missed += miss(BIT(one) | BIT(other), trusts);
    assert_int_equal(missed, 0);
}

static int make_keys(void **state)
{
    (void)state;
    root_key = EVP_RSA_gen(2048);
    ca_key = EVP_RSA_gen(2048);
    leaf_key = EVP_RSA_gen(2048);
    weak_leaf_key = EVP_RSA_gen(1024);
    weak_ca_key = EVP_RSA_gen(1024);
    return weak_ca_key == NULL;
}

static int free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(leaf_key);
    EVP_PKEY_free(weak_leaf_key);
    EVP_PKEY_free(weak_ca_key);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_defect_is_accepted),
        cmocka_unit_test(each_pair_is_found),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
