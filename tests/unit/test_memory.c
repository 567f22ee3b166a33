/*
 * Every allocation of an evaluation fails once, ours and libcrypto's: a server that is to be
 * refused is never accepted, and nothing crashes or leaks.
 */
#include "pki.h"
#include "policy.h"
#include "trustgraft.h"
#include "verdict.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HOST "api.example.test"

#if defined(__SANITIZE_ADDRESS__)
#define OWN_ALLOCATOR 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_ALLOCATOR 0
#endif
#endif
#ifndef OWN_ALLOCATOR
#define OWN_ALLOCATOR 1
#endif

#if OWN_ALLOCATOR
static long countdown; /* the allocation that fails; 0: none */

#include "shortage.h"

static bool fails(void)
{
    return countdown > 0 && --countdown == 0;
}

/* Evaluates LEAF with the allocation number NUMBER failing. *SPENT: there were as many. */
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
    const struct tg_rule rule = {.anchors = anchors, .anchors_only = true};
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
    for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
        fail_each(leaves[i], "root", false);
    fail_each("api", "other-root", false);
}

static void an_address_beside_the_name_is_never_left_out(void **state)
{
    (void)state;
    fail_each_at(NULL, true);
    fail_each_at("192.0.2.77", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_server_is_accepted_or_refused),
        cmocka_unit_test(bad_servers_are_refused),
        cmocka_unit_test(an_address_beside_the_name_is_never_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
