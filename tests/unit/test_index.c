/* test_index.c - entering rules: clashes, and lookups that don't notice how many there are. */
#include "index.h"
#include "match.h"
#include "program.h"
#include "rules.h"
#include <sys/socket.h>

/* Whether two rules, with a pattern and maybe programs each, clash. */
static void expect_clash(const char *first, const char *first_programs, const char *second,
                         const char *second_programs, bool clash)
{
    tg_policy policy;

    rules_init(&policy);
    assert_int_equal(rules_add(&policy, 1, first, first_programs), 0);
    if (rules_add(&policy, 2, second, second_programs) != clash)
        fail_msg("%s (%s) and %s (%s)", first, first_programs, second, second_programs);
    tg_arena_free(policy.arena);
}

static void test_patterns_of_the_same_hosts_clash(void **state)
{
    static const struct {
        const char *first, *second;
        bool clash;
    } cases[] = {
        {"a.example", "a.example", true},
        {"a.example", "b.example", false},
        {"a.example", "A.Example.", true},
        {"a.example", "a.example:443", false},
        {"a.example:443", "a.example:443", true},
        {"a.example:443", "a.example:444", false},
        {"a.example", "*.a.example", false},
        {"*.a.example", "*.a.example", true},
        {"*", "*", true},
        {"*", "*:443", false},
        {"10.0.0.1", "::ffff:10.0.0.1", true},
        {"10.0.0.1", "10.0.0.1/32", true},
        {"10.0.0.0/8", "10.0.0.0/9", false},
        {"0.0.0.0/0", "::/0", false},
        {"2001:db8::", "2001:db8::/32", false},
        {"[2001:db8::1]:443", "[2001:DB8:0::1]:443", true},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_clash(cases[i].first, "", cases[i].second, "", cases[i].clash);
}

static void test_programs_that_overlap_clash(void **state)
{
    static const struct {
        const char *first, *first_programs, *second, *second_programs;
        bool clash;
    } cases[] = {
        {"a.example", "", "a.example", "curl", false},
        {"a.example", "curl", "a.example", "", false},
        {"a.example", "curl", "a.example", "curl", true},
        {"a.example", "curl", "a.example", "wget", false},
        {"a.example", "curl", "a.example:443", "curl", false},
        {"a.example", "curl", "b.example", "curl", false},
        {"a.example", "wget curl", "a.example", "node curl", true},
        {"a.example", "/usr/bin/curl", "a.example", "/usr/bin/curl", true},
        {"a.example", "/usr/bin/curl", "a.example", "/opt/curl", false},
        {"a.example", "/usr/bin/curl", "a.example", "curl", true},
        {"a.example", "curl", "a.example", "/usr/bin/curl", true},
        {"a.example", "python3", "a.example", "python*", true},
        {"a.example", "python*", "a.example", "python3", true},
        {"a.example", "python*", "a.example", "*3", true},
        {"a.example", "python*", "a.example", "ruby*", false},
        {"a.example", "python*", "a.example", "/usr/bin/python3", true},
        {"a.example", "/usr/bin/p*", "a.example", "python3", true},
        {"a.example", "/usr/bin/p*", "a.example", "/opt/p*", false},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_clash(cases[i].first, cases[i].first_programs, cases[i].second,
                     cases[i].second_programs, cases[i].clash);
}

/* /usr/bin/python3 being a link to python3.11, which it is that runs. */
static void test_a_realpath_clashes_too(void **state)
{
    tg_policy policy;
    struct tg_rule *linked;

    (void)state;
    rules_init(&policy);
    linked = rules_make(&policy, 1, "/usr/bin/python3");
    linked->realpaths = rules_words(policy.arena, "/usr/bin/python3.11");
    assert_int_equal(rules_enter(&policy, linked, "a.example"), 0);
    assert_int_equal(rules_add(&policy, 2, "a.example", "/usr/bin/python3.11"), 1);
    assert_int_equal(rules_add(&policy, 3, "a.example", "python3.11"), 1);
    assert_int_equal(rules_add(&policy, 4, "a.example", "/usr/bin/python3.12"), 0);
    assert_int_equal(
        tg_policy_match(&policy, "a.example", 443, "/usr/bin/python3.11").rule->where.line, 1);
    assert_int_equal(rules_add(&policy, 5, "b.example", "python3.11"), 0);
    assert_int_equal(rules_enter(&policy, linked, "b.example"), 5);
    tg_arena_free(policy.arena);
}

static void test_a_pattern_twice_in_one_rule_clashes(void **state)
{
    tg_policy policy;

    (void)state;
    rules_init(&policy);
    assert_int_equal(rules_add(&policy, 1, "a.example b.example a.example", ""), 1);
    assert_int_equal(rules_add(&policy, 2, "c.example c.example", "curl node* curl"), 2);
    assert_int_equal(rules_add(&policy, 3, "d.example d.example:443 *.d.example", ""), 0);
    tg_arena_free(policy.arena);
}

/* The longest run of full slots bounds what any lookup costs, found or not. */
static size_t longest_run(const struct tg_table *table)
{
    size_t run = 0, longest = 0, i;

    for (i = 0; i < 2 * table->capacity; i++) {
        run = table->slots[i % table->capacity].item ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

/* Slots visited by lookups of what is in the table, on average, in hundredths. */
static size_t mean_probes(const struct tg_table *table)
{
    size_t total = 0, i;

    for (i = 0; i < table->capacity; i++)
        if (table->slots[i].item)
            total += 1 + ((i - table->slots[i].hash) & (table->capacity - 1));
    return total * 100 / table->count;
}

enum { MANY = 200000 };

static void test_lookups_stay_flat_with_many_names(void **state)
{
    struct tg_match match;
    const struct tg_table *table;
    tg_policy policy;
    char name[64];
    unsigned i;

    (void)state;
    rules_init(&policy);
    for (i = 1; i <= MANY; i++) {
        snprintf(name, sizeof name, "host%u.corp.example", i);
        assert_int_equal(rules_add(&policy, i, name, ""), 0);
    }
    table = &policy.index->groups;
    assert_int_equal(table->count, MANY);
    assert_true(longest_run(table) < 100);
    assert_true(mean_probes(table) < 200);
    match = tg_policy_match(&policy, "host123456.corp.example", 443, NULL);
    assert_int_equal(match.kind, TG_MATCH_RULE);
    assert_int_equal(match.rule->where.line, 123456);
    assert_int_equal(tg_policy_match(&policy, "host0.corp.example", 443, NULL).kind,
                     TG_MATCH_UNMATCHED);
    tg_arena_free(policy.arena);
}

static void test_lookups_stay_flat_with_many_programs_and_ports(void **state)
{
    tg_policy policy;
    char text[64];
    unsigned i;

    (void)state;
    rules_init(&policy);
    for (i = 1; i < 65536; i++) {
        snprintf(text, sizeof text, "a.example:%u", i);
        assert_int_equal(rules_add(&policy, i, text, ""), 0);
        snprintf(text, sizeof text, "/opt/%u/tool", i);
        assert_int_equal(rules_add(&policy, 100000 + i, "*", text), 0);
    }
    assert_true(longest_run(&policy.index->groups) < 100);
    assert_true(longest_run(&policy.index->words) < 100);
    assert_int_equal(tg_policy_match(&policy, "a.example", 4711, "/x").rule->where.line, 4711);
    assert_int_equal(tg_policy_match(&policy, "b.example", 443, "/opt/815/tool").rule->where.line,
                     100815);
    assert_int_equal(tg_policy_match(&policy, "b.example", 443, "/opt/0/tool").kind,
                     TG_MATCH_UNMATCHED);
    assert_int_equal(rules_add(&policy, 1, "*", "tool"), 100001);
    tg_arena_free(policy.arena);
}

/* The same questions put to a list of all rules, by the words of the manual. */
struct naive {
    const struct tg_rule *rule;
    struct tg_pattern pattern;
};

enum { RULES = 40 };

static struct naive list[2 * RULES];
static size_t listed;

static bool fits_host(const struct tg_pattern *pattern, const char *host)
{
    size_t own = strlen(pattern->name), length = strlen(host);
    uint8_t address[16];
    int family;
    unsigned bit;

    if (pattern->kind == TG_PATTERN_ANY)
        return true;
    if (pattern->kind == TG_PATTERN_NAME)
        return strcmp(host, pattern->name) == 0;
    if (pattern->kind == TG_PATTERN_WILDCARD)
        return length > own + 1 && host[length - own - 1] == '.' &&
               strcmp(host + length - own, pattern->name) == 0;
    if (!tg_host_address(host, length, &family, address) || family != pattern->family)
        return false;
    for (bit = 0; bit < pattern->prefix; bit++)
        if ((address[bit / 8] ^ pattern->address[bit / 8]) & (0x80 >> (bit % 8)))
            return false;
    return true;
}

/* Higher before lower; 0 if it doesn't apply. */
static unsigned rank(const struct naive *naive, const char *host, unsigned port,
                     const char *program)
{
    static const unsigned kinds[] = {[TG_PATTERN_NAME] = 3,
                                     [TG_PATTERN_WILDCARD] = 2,
                                     [TG_PATTERN_ADDRESS] = 2,
                                     [TG_PATTERN_ANY] = 1};
    const struct tg_pattern *pattern = &naive->pattern;

    if (!fits_host(pattern, host) || (pattern->port != 0 && pattern->port != port) ||
        !tg_rule_covers_program(naive->rule, program))
        return 0;
    return kinds[pattern->kind] * 100000 +
           (pattern->prefix + (unsigned)strlen(pattern->name)) * 10 + (pattern->port != 0) * 2 +
           (naive->rule->programs.count > 0);
}

static const struct tg_rule *naive_match(const char *host, unsigned port, const char *program)
{
    const struct tg_rule *best = NULL;
    unsigned highest = 0;
    size_t i;

    for (i = 0; i < listed; i++) {
        unsigned own = rank(&list[i], host, port, program);

        if (own > highest) {
            highest = own;
            best = list[i].rule;
        }
    }
    return best;
}

static bool naive_clash(const struct naive *one, const struct naive *other)
{
    size_t i, j;

    if (memcmp(&one->pattern, &other->pattern, sizeof one->pattern) != 0)
        return false;
    if (one->rule->programs.count == 0 || other->rule->programs.count == 0)
        return one->rule->programs.count == other->rule->programs.count;
    for (i = 0; i < one->rule->programs.count; i++)
        for (j = 0; j < other->rule->programs.count; j++)
            if (tg_program_overlap(one->rule->programs.word[i], other->rule->programs.word[j]))
                return true;
    return false;
}

#define PICK(array) ((array)[rules_random(sizeof(array) / sizeof *(array))])

static const char *const hosts[] = {"a.b.c",    "b.c",        "c",        "x.a.b.c",    "y",
                                    "10.0.0.1", "10.0.0.129", "10.1.0.0", "2001:db8::1"};
static const char *const programs[] = {"/bin/x", "/bin/y", "/opt/x", "/opt/zx"};
static const unsigned ports[] = {1, 2, 3};

static void add_random(tg_policy *policy, struct tg_rule *rule)
{
    static const char *const patterns[] = {"a.b.c",
                                           "b.c",
                                           "c",
                                           "*.b.c",
                                           "*.c",
                                           "*.a.b.c",
                                           "*",
                                           "y",
                                           "10.0.0.1",
                                           "10.0.0.0/25",
                                           "10.0.0.0/24",
                                           "10.0.0.0/8",
                                           "0.0.0.0/0",
                                           "::/0",
                                           "10.0.0.128/25",
                                           "2001:db8::1",
                                           "2001:db8::/32"};
    struct naive *added = &list[listed];
    const struct tg_rule *clash, *expected = NULL;
    size_t column, i;

    memset(added, 0, sizeof *added);
    added->rule = rule;
    assert_null(tg_pattern_parse(policy->arena, PICK(patterns), &added->pattern, &column));
    added->pattern.port = rules_random(2) ? PICK(ports) : 0;
    for (i = 0; i < listed && !expected; i++)
        if (naive_clash(&list[i], added))
            expected = list[i].rule;
    assert_int_equal(tg_index_add(policy->index, rule, &added->pattern, "pattern", &clash), 1);
    assert_int_equal(clash != NULL, expected != NULL);
    listed += clash == NULL;
}

static void make_random(tg_policy *policy)
{
    static const char *const words[] = {"",   "",   "",       "x",        "y",       "/bin/x",
                                        "*x", "z*", "/opt/*", "x /bin/y", "/bin/? y"};
    unsigned line;

    rules_init(policy);
    listed = 0;
    for (line = 1; line <= RULES; line++) {
        struct tg_rule *rule = rules_make(policy, line, PICK(words));

        add_random(policy, rule);
        if (rules_random(4) == 0)
            add_random(policy, rule);
    }
}

/* All answers that a port or program not known here could lead to; NULL in OUT: no rule. */
static bool naive_agrees(const char *host, const struct tg_rule **out)
{
    size_t i, j;

    *out = naive_match(host, ports[0], programs[0]);
    for (i = 0; i < sizeof ports / sizeof *ports; i++)
        for (j = 0; j < sizeof programs / sizeof *programs; j++)
            if (naive_match(host, ports[i], programs[j]) != *out)
                return false;
    return true;
}

static void test_agrees_with_a_search_of_all_rules(void **state)
{
    unsigned round, query;

    (void)state;
    for (round = 0; round < 1000; round++) {
        tg_policy policy;

        make_random(&policy);
        for (query = 0; query < 100; query++) {
            const char *host = PICK(hosts), *program = PICK(programs);
            unsigned port = PICK(ports);
            struct tg_match match = tg_policy_match(&policy, host, port, program);
            const struct tg_rule *expected = naive_match(host, port, program), *all;

            assert_int_equal(match.kind, expected ? TG_MATCH_RULE : TG_MATCH_UNMATCHED);
            assert_ptr_equal(match.rule, expected);
            match = tg_policy_match(&policy, host, 0, NULL);
            if (match.kind != TG_MATCH_UNKNOWN) {
                assert_true(naive_agrees(host, &all));
                assert_ptr_equal(match.rule, all);
            }
        }
        tg_arena_free(policy.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns_of_the_same_hosts_clash),
        cmocka_unit_test(test_programs_that_overlap_clash),
        cmocka_unit_test(test_a_realpath_clashes_too),
        cmocka_unit_test(test_a_pattern_twice_in_one_rule_clashes),
        cmocka_unit_test(test_lookups_stay_flat_with_many_names),
        cmocka_unit_test(test_lookups_stay_flat_with_many_programs_and_ports),
        cmocka_unit_test(test_agrees_with_a_search_of_all_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
