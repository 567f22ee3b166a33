/*
 * Every allocation of an evaluation fails once, ours and libcrypto's: a server that is to be
 * refused is never accepted, and nothing crashes or leaks.
 */
#include "countdown.h"
#include "evaluate.h"
#include "folder.h"
#include "hold.h"
#include "match.h"
#include "pki.h"
#include "policy.h"
#include "trustgraft.h"
#include "verdict.h"
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#define HOST "api.example.test"

static bool silent; /* as OpenSSL before 3.0.7, which leaves no error where there is no address */

/* The engine's calls come here: this program is linked before libcrypto. */
char *X509_VERIFY_PARAM_get1_ip_asc(X509_VERIFY_PARAM *param)
{
    static char *(*next)(X509_VERIFY_PARAM *);
    char *address;

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "X509_VERIFY_PARAM_get1_ip_asc");
    ERR_set_mark();
    address = next(param);
    (void)(silent ? ERR_pop_to_mark() : ERR_clear_last_mark());
    return address;
}

#if OWN_ALLOCATOR
/* Evaluates the first of SENT with the allocation number NUMBER failing. *SPENT: there were as
 * many. */
static tg_result evaluate(STACK_OF(X509) *sent, STACK_OF(X509) *anchors, long number, bool *spent)
{
    tg_result result = TG_RESULT_OTHER_ERROR;
    tg_trust *trust = NULL;

    countdown = number;
    trust = tg_trust_new(sk_X509_value(sent, 0), sent);
    if (trust != NULL && tg_trust_set_host(trust, HOST, 443) &&
        tg_trust_set_anchors(trust, anchors))
        result = tg_trust_evaluate(trust);
    *spent = countdown == 0;
    countdown = 0;
    tg_trust_free(trust);
    return result;
}

/* The same where the application has the name and ADDRESS verified. */
static bool accepts_at(STACK_OF(X509) *sent, STACK_OF(X509) *anchors, const char *address,
                       long number, bool *spent)
{
    struct tg_holding *held = hold(anchors);
    const struct tg_rule rule = {.anchors = held, .anchors_only = true};
    const struct tg_match match = {.kind = TG_MATCH_RULE, .rule = &rule, .pattern = "*"};
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *app = X509_STORE_CTX_new();
    struct tg_query query = {.host = HOST, .leaf = sk_X509_value(sent, 0), .sent = sent};
    struct tg_verdict *verdict = NULL;
    bool accepted;

    assert_true(X509_STORE_CTX_init(app, store, query.leaf, sent));
    assert_true(X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(app), HOST, 0));
    if (address != NULL)
        assert_true(X509_VERIFY_PARAM_set1_ip_asc(X509_STORE_CTX_get0_param(app), address));
    query.app = app;
    countdown = number;
    verdict = tg_evaluate(NULL, &match, &query);
    *spent = number != 0 && countdown == 0;
    countdown = 0;
    accepted = verdict != NULL && verdict->accepted;
    tg_verdict_free(verdict);
    X509_STORE_CTX_free(app);
    X509_STORE_free(store);
    tg_holding_free(held);
    return accepted;
}

static void fail_each_at(const char *address, bool acceptable)
{
    STACK_OF(X509) *sent = pki_chain("api"), *anchors = pki_certificates("root", NULL);
    bool spent = true;

    assert_true(accepts_at(sent, anchors, address, 0, &spent) == acceptable);
    spent = true;
    for (long number = 1; spent; number++)
        if (accepts_at(sent, anchors, address, number, &spent) && !acceptable)
            fail_msg("accepted at %s when allocation %ld failed", address, number);
    pki_free(sent);
    pki_free(anchors);
}

/* Returns how many allocations were made to fail. */
static long fail_each(const char *leaf, const char *anchor, bool acceptable)
{
    STACK_OF(X509) *sent = pki_chain(leaf), *anchors = pki_certificates(anchor, NULL);
    bool spent = true;
    long number = 0;
    tg_result result;

    while (spent) {
        result = evaluate(sent, anchors, ++number, &spent);
        if (tg_result_accepts(result) && !acceptable)
            fail_msg("%s: accepted when allocation %ld failed", leaf, number);
    }
    assert_int_equal(tg_result_accepts(result), acceptable);
    pki_free(sent);
    pki_free(anchors);
    return number;
}

/* A rule for api.example.test with root as its anchor, and a server that it refuses. */
struct demand {
    const char *server, *staple;
    const char *rule; /* $ stands for the test PKI's folder */
};

static tg_policy *policy_of(const struct demand *demand)
{
    FILE *out = fopen("policy.conf", "we");
    char *errors = NULL;
    tg_policy *policy;

    assert_non_null(out);
    fprintf(out, "[host %s]\nanchors = %s\n", HOST, pki_path("root.pem"));
    for (const char *at = demand->rule; *at; at++)
        if (*at == '$')
            fputs(getenv("TG_PKI"), out);
        else
            fputc(*at, out);
    assert_int_equal(fclose(out), 0);
    policy = tg_policy_load("policy.conf", &errors);
    if (policy == NULL)
        fail_msg("%s", errors);
    return policy;
}

static size_t read_staple(const char *name, unsigned char *out, size_t room)
{
    FILE *in = name != NULL ? fopen(pki_path(name), "re") : NULL;
    size_t size = 0;

    assert_true((in != NULL) == (name != NULL));
    if (in == NULL)
        return 0;
    size = fread(out, 1, room, in);
    fclose(in);
    return size;
}

static void fail_each_of(const struct demand *demand)
{
    unsigned char staple[8192];
    size_t size = read_staple(demand->staple, staple, sizeof(staple));
    STACK_OF(X509) *sent = pki_chain(demand->server);
    bool spent = true;

    for (long number = 1; spent; number++) {
        tg_policy *policy = policy_of(demand); /* with nothing remembered of its CRLs */
        struct tg_match match = tg_policy_match(policy, HOST, 443, NULL);
        struct tg_query query = {.host = HOST,
                                 .port = 443,
                                 .leaf = sk_X509_value(sent, 0),
                                 .sent = sent,
                                 .security_level = 1,
                                 .tls_version = 0x304,
                                 .staple = size > 0 ? staple : NULL,
                                 .staple_length = size};
        struct tg_verdict *verdict;

        countdown = number;
        verdict = tg_evaluate(policy, &match, &query);
        spent = countdown == 0;
        countdown = 0;
        if (verdict != NULL && verdict->accepted)
            fail_msg("%s: accepted when allocation %ld failed: %s", demand->server, number,
                     demand->rule);
        tg_verdict_free(verdict);
        tg_policy_free(policy);
    }
    pki_free(sent);
}
#else
static long fail_each(const char *leaf, const char *anchor, bool acceptable)
{
    (void)leaf, (void)anchor, (void)acceptable;
    skip();
    return 0;
}

static void fail_each_at(const char *address, bool acceptable)
{
    (void)address, (void)acceptable;
    skip();
}
#endif

static void a_good_server_is_accepted_or_refused(void **state)
{
    (void)state;
    assert_true(fail_each("api", "root", true) > 50);
}

static void bad_servers_are_refused(void **state)
{
    static const char *const leaves[] = {"expired",
                                         "partner",
                                         "forged",
                                         "flipped",
                                         "missing-intermediate",
                                         "self-signed",
                                         "not-permitted-wildcard-cn"};

    (void)state;
    if (is_emulated())
        skip();
    for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
        fail_each(leaves[i], "root", false);
    fail_each("api", "other-root", false);
}

static void an_address_beside_the_name_is_never_left_out(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++, silent = !silent) {
        fail_each_at(NULL, true);
        fail_each_at("192.0.2.77", false);
        fail_each_at("192.0.2.1", false); /* one that the engine asks for itself, silent or not */
    }
}
#if OWN_ALLOCATOR
static void what_a_rule_demands_is_never_skipped(void **state)
{
    static const char other[] = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    char folder[] = "/tmp/test_memory.XXXXXX", pins[3][128];
    const struct demand demands[] = {
        {"rsa", NULL, "min-rsa-bits = 4096\n"},
        {"rsa", NULL, "security-level = 5\n"},
        {"revoked", NULL, "revocation = crl\ncrl = $/intermediate.crl\n"},
        {"api", NULL, "revocation = crl-chain\ncrl = $/revoked-intermediate.crl\n"},
        {"revoked", "revoked.ocsp", "revocation = staple\n"},
        {"api", NULL, "revocation = staple-required\n"},
        {"must-staple", NULL, "revocation = staple\n"},
        {"api", NULL, pins[0]},
        {"api", NULL, pins[1]},
        {"api", NULL, pins[2]},
        {"api", NULL, "known-hosts = known\n"},
        {"api", NULL, "hostname = other.test\n"},
        {"no-akid", NULL, "strict = yes\n"},
        {"api", NULL, "[distrust]\ncertificate = $/intermediate.pem\n"},
        {"api", NULL, "[distrust]\nspki = $/root.pem\n"},
    };

    FILE *known;

    (void)state;
    if (is_emulated())
        skip();
    assert_int_equal(folder_enter(folder), 0);
    known = fopen("known", "we");
    assert_non_null(known);
    fprintf(known, "%s %s\n", HOST, other);
    assert_int_equal(fclose(known), 0);
    snprintf(pins[0], sizeof(pins[0]), "leaf-pin = %s\n", other);
    snprintf(pins[1], sizeof(pins[1]), "ca-pin = %s\n", other);
    snprintf(pins[2], sizeof(pins[2]), "pin = %s\n", other);
    for (size_t i = 0; i < sizeof(demands) / sizeof(demands[0]); i++)
        fail_each_of(&demands[i]);
    assert_int_equal(folder_remove(folder), 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_servers_are_refused),
        cmocka_unit_test(a_good_server_is_accepted_or_refused),
        {.name = "bad_servers_are_refused_once_their_authorities_are_known",
         .test_func = bad_servers_are_refused},
        cmocka_unit_test(an_address_beside_the_name_is_never_left_out),
#if OWN_ALLOCATOR
        cmocka_unit_test(what_a_rule_demands_is_never_skipped),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
