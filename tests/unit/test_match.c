/* test_match.c - what a connection is answered: a rule, none, or that it can't be known. */
#include "match.h"
#include "rules.h"
#include "text.h"

struct match_case {
    const char *host;
    unsigned port;
    const char *program;
    enum tg_match_kind kind;
    unsigned line; /* of the rule; 0: none */
};

static void expect(const tg_policy *policy, const struct match_case *cases, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const struct match_case *want = &cases[i];
        struct tg_match got = tg_policy_match(policy, want->host, want->port, want->program);
        unsigned line = got.rule ? got.rule->where.line : 0;

        if (got.kind != want->kind || line != want->line)
            fail_msg("%s:%u by %s: kind %d, line %u", want->host ? want->host : "NULL", want->port,
                     want->program ? want->program : "NULL", got.kind, line);
        assert_int_equal(got.pattern != NULL, got.rule && got.rule->where.file);
    }
}

#define EXPECT(policy, cases) expect(policy, cases, sizeof(cases) / sizeof *(cases))

static void test_the_most_specific_pattern_wins(void **state)
{
    static const struct match_case cases[] = {
        {"www.a.example", 443, "/x", TG_MATCH_RULE, 1},
        {"WWW.A.Example.", 443, "/x", TG_MATCH_RULE, 1},
        {"ftp.a.example", 443, "/x", TG_MATCH_RULE, 2},
        {"x.www.a.example", 443, "/x", TG_MATCH_RULE, 2},
        {"a.example", 443, "/x", TG_MATCH_RULE, 3},
        {"xa.example", 443, "/x", TG_MATCH_RULE, 3},
        {"example", 443, "/x", TG_MATCH_RULE, 4},
        {"evil-a.example.com", 443, "/x", TG_MATCH_RULE, 4},
        {"10.0.0.1", 443, "/x", TG_MATCH_RULE, 5},
        {"::ffff:10.0.0.1", 443, "/x", TG_MATCH_RULE, 5},
        {"10.0.0.2", 443, "/x", TG_MATCH_RULE, 6},
        {"10.0.1.1", 443, "/x", TG_MATCH_RULE, 7},
        {"11.0.0.1", 443, "/x", TG_MATCH_RULE, 4},
        {"[2001:DB8::1]", 443, "/x", TG_MATCH_RULE, 8},
        {"2001:db9::1", 443, "/x", TG_MATCH_RULE, 4},
    };
    tg_policy policy;

    (void)state;
    rules_init(&policy);
    assert_int_equal(rules_add(&policy, 4, "*", ""), 0);
    assert_int_equal(rules_add(&policy, 3, "*.example", ""), 0);
    assert_int_equal(rules_add(&policy, 2, "*.a.example", ""), 0);
    assert_int_equal(rules_add(&policy, 1, "www.a.example", ""), 0);
    assert_int_equal(rules_add(&policy, 7, "10.0.0.0/8", ""), 0);
    assert_int_equal(rules_add(&policy, 6, "10.0.0.0/30", ""), 0);
    assert_int_equal(rules_add(&policy, 5, "10.0.0.1", ""), 0);
    assert_int_equal(rules_add(&policy, 8, "2001:db8::/32", ""), 0);
    EXPECT(&policy, cases);
    tg_arena_free(policy.arena);
}

static void test_a_port_goes_before_a_program(void **state)
{
    static const struct match_case cases[] = {
        {"a.example", 443, "/bin/curl", TG_MATCH_RULE, 1},
        {"a.example", 443, "/bin/wget", TG_MATCH_RULE, 2},
        {"a.example", 444, "/bin/curl", TG_MATCH_RULE, 3},
        {"a.example", 444, "/bin/wget", TG_MATCH_RULE, 4},
        {"a.example", 445, "/bin/curl", TG_MATCH_RULE, 3},
        {"b.example", 443, "/bin/curl", TG_MATCH_RULE, 5},
        {"b.example", 444, "/bin/curl", TG_MATCH_RULE, 6},
        {"b.example", 444, "/bin/wget", TG_MATCH_RULE, 7},
    };
    tg_policy policy;

    (void)state;
    rules_init(&policy);
    assert_int_equal(rules_add(&policy, 4, "a.example", ""), 0);
    assert_int_equal(rules_add(&policy, 3, "a.example", "curl"), 0);
    assert_int_equal(rules_add(&policy, 2, "a.example:443", ""), 0);
    assert_int_equal(rules_add(&policy, 1, "a.example:443", "curl"), 0);
    assert_int_equal(rules_add(&policy, 6, "b.example", "curl"), 0);
    assert_int_equal(rules_add(&policy, 5, "b.example:443", ""), 0);
    assert_int_equal(rules_add(&policy, 7, "*", ""), 0);
    EXPECT(&policy, cases);
    tg_arena_free(policy.arena);
}

/* A more specific pattern whose port or program doesn't fit isn't applicable. */
static void test_the_search_goes_on_past_what_does_not_fit(void **state)
{
    static const struct match_case cases[] = {
        {"a.b.example", 443, "/bin/x", TG_MATCH_RULE, 3},
        {"a.b.example", 8443, "/bin/x", TG_MATCH_RULE, 1},
        {"a.b.example", 443, "/bin/y", TG_MATCH_RULE, 2},
        {"10.0.0.1", 443, "/bin/x", TG_MATCH_RULE, 5},
        {"10.0.0.1", 8443, "/bin/x", TG_MATCH_RULE, 4},
        {"c.test", 443, "/bin/x", TG_MATCH_UNMATCHED, 0},
    };
    tg_policy policy;

    (void)state;
    rules_init(&policy);
    assert_int_equal(rules_add(&policy, 1, "a.b.example:8443", ""), 0);
    assert_int_equal(rules_add(&policy, 2, "*.b.example", "y"), 0);
    assert_int_equal(rules_add(&policy, 3, "*.example", ""), 0);
    assert_int_equal(rules_add(&policy, 4, "10.0.0.1:8443", ""), 0);
    assert_int_equal(rules_add(&policy, 5, "10.0.0.0/8", ""), 0);
    EXPECT(&policy, cases);
    tg_arena_free(policy.arena);
}

static void test_a_name_that_cannot_be_spelled_lies_below_wildcards(void **state)
{
    static const char *const below[] = {"a b.example", "a..example", "*.example", "a~b.EXAMPLE.",
                                        ".example"};
    static const char *const none[] = {"a b", "1.2.3", "a~bexample", "~"};
    char label[80] = "";
    tg_policy policy;
    size_t i;

    (void)state;
    memset(label, 'a', 64);
    memcpy(label + 64, ".example", sizeof ".example");
    rules_init(&policy);
    assert_int_equal(rules_add(&policy, 1, "*.example 0.0.0.0/0 ::/0", ""), 0);
    for (i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(tg_policy_match(&policy, none[i], 443, "/x").kind, TG_MATCH_UNMATCHED);
    assert_int_equal(rules_add(&policy, 2, "*:443", ""), 0);
    for (i = 0; i < sizeof below / sizeof *below; i++)
        assert_int_equal(tg_policy_match(&policy, below[i], 443, "/x").rule->where.line, 1);
    assert_int_equal(tg_policy_match(&policy, label, 443, "/x").rule->where.line, 1);
    for (i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(tg_policy_match(&policy, none[i], 443, "/x").rule->where.line, 2);
        assert_int_equal(tg_policy_match(&policy, none[i], 80, "/x").kind, TG_MATCH_UNMATCHED);
        assert_int_equal(tg_policy_match(&policy, none[i], 0, "/x").kind, TG_MATCH_UNKNOWN);
    }
    tg_arena_free(policy.arena);
}

/* Of an unknown host any rule may be the one, but for those that demand nothing of it. */
static void test_an_unknown_host_may_have_any_rule(void **state)
{
    static const char *const unknown[] = {NULL, ""};
    struct tg_match match;
    tg_policy policy;
    size_t i;

    (void)state;
    rules_init(&policy);
    assert_int_equal(rules_add(&policy, 1, "a.example", "/y"), 0);
    assert_int_equal(rules_add(&policy, 2, "*", ""), 0);
    for (i = 0; i < 2; i++) {
        match = tg_policy_match(&policy, unknown[i], 443, "/x");
        assert_int_equal(match.kind, TG_MATCH_RULE);
        assert_int_equal(match.rule->where.line, 2);
        match = tg_policy_match(&policy, unknown[i], 443, "/y");
        assert_int_equal(match.kind, TG_MATCH_UNKNOWN);
        assert_string_equal(match.lacking, "host");
        assert_int_equal(match.rule->where.line, 1);
        assert_int_equal(tg_policy_match(&policy, unknown[i], 443, NULL).kind, TG_MATCH_UNKNOWN);
    }
    policy.rules[0]->action = TG_ACTION_PASS;
    assert_int_equal(tg_policy_match(&policy, NULL, 443, "/y").rule->where.line, 2);
    policy.rules[0]->action = TG_ACTION_EVALUATE;
    policy.rules[0]->mode = TG_MODE_REPORT;
    match = tg_policy_match(&policy, NULL, 443, "/y");
    assert_int_equal(match.kind, TG_MATCH_UNKNOWN);
    assert_int_equal(match.rule->where.line, 2); /* to report is to let pass */
    tg_arena_free(policy.arena);
}

static void test_unmatched_is_what_the_policy_says(void **state)
{
    tg_policy policy;
    struct tg_match match;

    (void)state;
    rules_init(&policy);
    policy.unmatched = TG_UNMATCHED_APP;
    match = tg_policy_match(&policy, "a.example", 443, "/x");
    assert_int_equal(match.kind, TG_MATCH_UNMATCHED);
    assert_null(match.rule);
    assert_null(match.pattern);
    policy.unmatched = TG_UNMATCHED_VERIFY;
    assert_ptr_equal(tg_policy_match(&policy, "a.example", 443, "/x").rule, &policy.unmatched_rule);
    policy.unmatched = TG_UNMATCHED_REJECT;
    match = tg_policy_match(&policy, "a.example", 443, "/x");
    assert_int_equal(match.kind, TG_MATCH_UNMATCHED);
    assert_ptr_equal(match.rule, &policy.unmatched_rule);
    assert_null(match.pattern);
    tg_arena_free(policy.arena);
}

static void test_an_unknown_port_or_program_that_matters_is_told(void **state)
{
    static const struct match_case cases[] = {
        {"port.example", 0, "/bin/x", TG_MATCH_UNKNOWN, 1},
        {"port.example", 80, "/bin/x", TG_MATCH_RULE, 2},
        {"only.example", 0, "/bin/x", TG_MATCH_UNKNOWN, 3},
        {"program.example", 443, NULL, TG_MATCH_UNKNOWN, 4},
        {"program.example", 443, "", TG_MATCH_UNKNOWN, 4},
        {"program.example", 443, "/bin/y", TG_MATCH_RULE, 5},
        {"both.example", 0, NULL, TG_MATCH_UNKNOWN, 6},
        {"both.example", 0, "/bin/x", TG_MATCH_UNKNOWN, 6},
        {"both.example", 443, NULL, TG_MATCH_UNKNOWN, 6},
        {"x.wild.example", 0, "/bin/x", TG_MATCH_UNKNOWN, 7},
        {"x.wild.example", 443, "/bin/x", TG_MATCH_RULE, 7},
    };
    tg_policy policy;

    (void)state;
    rules_init(&policy);
    assert_int_equal(rules_add(&policy, 1, "port.example:443", ""), 0);
    assert_int_equal(rules_add(&policy, 2, "port.example", ""), 0);
    assert_int_equal(rules_add(&policy, 3, "only.example:443", ""), 0);
    assert_int_equal(rules_add(&policy, 4, "program.example", "x"), 0);
    assert_int_equal(rules_add(&policy, 5, "program.example", ""), 0);
    assert_int_equal(rules_add(&policy, 6, "both.example:443", "x"), 0);
    assert_int_equal(rules_add(&policy, 7, "*.wild.example:443", ""), 0);
    EXPECT(&policy, cases);
    tg_arena_free(policy.arena);
}

static void test_an_unknown_port_or_program_that_does_not_matter(void **state)
{
    static const struct match_case cases[] = {
        /* the rule with a port isn't this program's, or its pattern doesn't fit */
        {"a.example", 0, "/bin/y", TG_MATCH_RULE, 2},
        {"a.example", 0, "/bin/x", TG_MATCH_UNKNOWN, 1},
        {"b.example", 0, NULL, TG_MATCH_RULE, 3},
        /* the rule with a port ranks lower than the one that applies */
        {"c.d.example", 0, NULL, TG_MATCH_RULE, 4},
        /* whatever the port and program, it is the same rule */
        {"e.example", 0, NULL, TG_MATCH_RULE, 6},
        /* ... or it is not */
        {"f.example", 0, "/bin/x", TG_MATCH_UNKNOWN, 7},
        /* the program isn't known, but a rule without one has the port */
        {"g.example", 443, NULL, TG_MATCH_RULE, 9},
        {"g.example", 80, NULL, TG_MATCH_UNKNOWN, 10},
        {"h.test", 0, NULL, TG_MATCH_UNMATCHED, 0},
    };
    tg_policy policy;

    (void)state;
    rules_init(&policy);
    assert_int_equal(rules_add(&policy, 1, "a.example:443", "x"), 0);
    assert_int_equal(rules_add(&policy, 2, "a.example", ""), 0);
    assert_int_equal(rules_add(&policy, 3, "b.example", ""), 0);
    assert_int_equal(rules_add(&policy, 4, "c.d.example", ""), 0);
    assert_int_equal(rules_add(&policy, 5, "*.d.example:443", "x"), 0);
    assert_int_equal(rules_add(&policy, 6, "e.example e.example:443 e.example:444", ""), 0);
    assert_int_equal(rules_add(&policy, 7, "f.example f.example:443", ""), 0);
    assert_int_equal(rules_add(&policy, 8, "f.example:444", ""), 0);
    assert_int_equal(rules_add(&policy, 9, "g.example:443", ""), 0);
    assert_int_equal(rules_add(&policy, 10, "g.example", "x"), 0);
    EXPECT(&policy, cases);
    tg_arena_free(policy.arena);
}

/* Where one rule only reports, a refusal would be no more than a line in the log. */
static void test_of_rules_that_may_apply_one_that_enforces_is_told(void **state)
{
    static const struct match_case cases[] = {
        {"a.example", 0, "/bin/x", TG_MATCH_UNKNOWN, 2},
        {"b.example", 0, "/bin/x", TG_MATCH_UNKNOWN, 4},
        {"c.example", 443, NULL, TG_MATCH_UNKNOWN, 6},
        {"d.example", 0, "/bin/x", TG_MATCH_UNKNOWN, 7},
        {"e.example", 0, "/bin/x", TG_MATCH_UNKNOWN, 9},
        {"f.test", 0, "/bin/x", TG_MATCH_UNKNOWN, 0},
        {"f.test", 443, "/bin/x", TG_MATCH_RULE, 11},
        {"g.test", 0, "/bin/x", TG_MATCH_UNKNOWN, 14},
        {"a.example", 443, "/bin/x", TG_MATCH_RULE, 1},
    };
    static const struct {
        const char *patterns, *programs;
        enum tg_mode mode;
    } rules[] = {
        {"a.example:443", "", TG_MODE_REPORT},  {"a.example", "", TG_MODE_ENFORCE},
        {"b.example:443", "", TG_MODE_REPORT},  {"b.example:444", "", TG_MODE_ENFORCE},
        {"c.example", "x", TG_MODE_REPORT},     {"*.example:443", "", TG_MODE_ENFORCE},
        {"d.example:443", "", TG_MODE_ENFORCE}, {"d.example", "", TG_MODE_REPORT},
        {"e.example:443", "", TG_MODE_REPORT},  {"e.example", "", TG_MODE_REPORT},
        {"f.test:443", "", TG_MODE_REPORT},     {"g.test:443", "", TG_MODE_REPORT},
        {"g.test:444", "", TG_MODE_REPORT},     {"g.test", "", TG_MODE_ENFORCE},
    };
    tg_policy policy;
    unsigned i;

    (void)state;
    rules_init(&policy);
    policy.unmatched = TG_UNMATCHED_VERIFY;
    for (i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct tg_rule *rule = rules_make(&policy, i + 1, rules[i].programs);

        rule->mode = rules[i].mode;
        assert_int_equal(rules_enter(&policy, rule, rules[i].patterns), 0);
    }
    EXPECT(&policy, cases);
    policy.unmatched = TG_UNMATCHED_APP;
    assert_int_equal(tg_policy_match(&policy, "f.test", 0, "/bin/x").rule->where.line, 11);
    tg_arena_free(policy.arena);
}

static void note_seen(void *arg, const struct tg_rule *rule, const char *pattern, const char *why)
{
    tg_buf_printf(arg, "%u %s: %s\n", rule->where.line, pattern, why);
}

static void expect_explained(const tg_policy *policy, const char *host, unsigned port,
                             const char *program, const char *expected)
{
    struct tg_buf text = {0};

    tg_policy_explain(policy, host, port, program, note_seen, &text);
    assert_false(text.failed);
    assert_string_equal(text.text ? text.text : "", expected);
    tg_buf_free(&text);
}

static void test_explain_tells_of_each_rule_in_order_of_rank(void **state)
{
    tg_policy policy;
    struct tg_rule *included;

    (void)state;
    rules_init(&policy);
    included = rules_make(&policy, 7, "");
    included->where.file = "conf.d/a.conf";
    assert_int_equal(rules_add(&policy, 2, "*", ""), 0);
    assert_int_equal(rules_add(&policy, 3, "*.example:8443", ""), 0);
    assert_int_equal(rules_enter(&policy, included, "*.example www.a.example:25"), 0);
    assert_int_equal(rules_add(&policy, 4, "www.a.example:8443", ""), 0);
    assert_int_equal(rules_add(&policy, 5, "www.a.example", "/usr/bin/x y*"), 0);
    assert_int_equal(rules_add(&policy, 6, "other.example", ""), 0);
    expect_explained(&policy, "WWW.a.example", 443, "/usr/bin/z",
                     "4 www.a.example:8443: its port is 8443\n"
                     "5 www.a.example: its program is /usr/bin/x, y*\n"
                     "3 *.example:8443: its port is 8443\n"
                     "7 *.example: applies\n"
                     "2 *: less specific than conf.d/a.conf:7\n");
    expect_explained(&policy, "www.a.example", 8443, "/usr/bin/y",
                     "7 www.a.example:25: its port is 25\n"
                     "4 www.a.example:8443: applies\n"
                     "5 www.a.example: less specific than line 4\n"
                     "3 *.example:8443: less specific than line 4\n"
                     "7 *.example: less specific than policy.conf:4\n"
                     "2 *: less specific than line 4\n");
    expect_explained(
        &policy, "www.a.example", 443, NULL,
        "7 www.a.example:25: its port is 25\n"
        "4 www.a.example:8443: its port is 8443\n"
        "5 www.a.example: its program is /usr/bin/x, y*; the connection's isn't known\n"
        "3 *.example:8443: its port is 8443\n"
        "7 *.example: less specific than policy.conf:5\n"
        "2 *: less specific than line 5\n");
    expect_explained(&policy, "b.example", 0, "/usr/bin/x",
                     "3 *.example:8443: its port is 8443; the connection's isn't known\n"
                     "7 *.example: less specific than policy.conf:3\n"
                     "2 *: less specific than line 3\n");
    expect_explained(&policy, NULL, 443, "/usr/bin/x", "2 *: less specific than conf.d/a.conf:7\n");
    tg_arena_free(policy.arena);
}

static void test_explain_says_nothing_where_nothing_fits(void **state)
{
    tg_policy policy;

    (void)state;
    rules_init(&policy);
    assert_int_equal(rules_add(&policy, 1, "a.example", ""), 0);
    expect_explained(&policy, "b.example", 443, "/x", "");
    tg_arena_free(policy.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_most_specific_pattern_wins),
        cmocka_unit_test(test_a_port_goes_before_a_program),
        cmocka_unit_test(test_the_search_goes_on_past_what_does_not_fit),
        cmocka_unit_test(test_a_name_that_cannot_be_spelled_lies_below_wildcards),
        cmocka_unit_test(test_an_unknown_host_may_have_any_rule),
        cmocka_unit_test(test_unmatched_is_what_the_policy_says),
        cmocka_unit_test(test_an_unknown_port_or_program_that_matters_is_told),
        cmocka_unit_test(test_an_unknown_port_or_program_that_does_not_matter),
        cmocka_unit_test(test_of_rules_that_may_apply_one_that_enforces_is_told),
        cmocka_unit_test(test_explain_tells_of_each_rule_in_order_of_rank),
        cmocka_unit_test(test_explain_says_nothing_where_nothing_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
