/* test_below.c - names to verify that begin with a dot, and stand for every name below. */
#include "match.h"
#include "rules.h"

/* OpenSSL's ".a.example" stands for every name below it: a rule for one of them may be the one. */
static void test_any_name_below_may_have_its_rule(void **state)
{
    static const struct {
        const char *host;
        enum tg_match_kind kind;
        unsigned line; /* of the rule; 0: none */
    } cases[] = {
        {".ww.a.example", TG_MATCH_RULE, 2},
        {".c.example", TG_MATCH_RULE, 4},
        {".d.example", TG_MATCH_RULE, 6},
        {".f.example", TG_MATCH_UNMATCHED, 0},
    };
    static const char *const unknown[] = {".a.example", ".A.Example.", ".example", ".b.example"};
    tg_policy policy;
    size_t i;

    (void)state;
    rules_init(&policy);
    assert_int_equal(rules_add(&policy, 1, "WWW.a.example.:443", ""), 0);
    assert_int_equal(rules_add(&policy, 2, "*.a.example", ""), 0);
    assert_int_equal(rules_add(&policy, 3, "*.x.b.example", ""), 0);
    assert_int_equal(rules_add(&policy, 4, "*.c.example", ""), 0);
    assert_int_equal(rules_add(&policy, 5, "c.example", ""), 0);
    assert_int_equal(rules_add(&policy, 6, "*.d.example www.d.example", ""), 0);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tg_match match = tg_policy_match(&policy, cases[i].host, 443, "/x");

        assert_int_equal(match.kind, cases[i].kind);
        assert_int_equal(match.rule ? match.rule->where.line : 0, cases[i].line);
    }
    for (i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        struct tg_match match = tg_policy_match(&policy, unknown[i], 443, "/x");

        assert_int_equal(match.kind, TG_MATCH_UNKNOWN);
        assert_string_equal(match.lacking, "host");
    }
    tg_arena_free(policy.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_any_name_below_may_have_its_rule)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
