/* test_forgiven.c - which findings the exceptions forgive, for whom, and until when. */
#include "index.h"
#include "match.h"
#include "rules.h"

enum { EXPIRED = 1, MISMATCH = 2, WEAK = 4, NOON = 1000, LONG_AGO = 1 };

static const uint8_t leaf[TG_SHA256_SIZE] = {1, 2, 3}, other_leaf[TG_SHA256_SIZE] = {3, 2, 1};
/* Found at the same place of the table as `leaf`. */
static const uint8_t twin_leaf[TG_SHA256_SIZE] = {1, 2, 3, [31] = 1};

static const struct tg_exception exceptions[] = {
    {.host = "a.example", .leaf = {1, 2, 3}, .findings = EXPIRED},
    {.host = "a.example", .leaf = {1, 2, 3}, .findings = MISMATCH, .port = 8443, .expires = 2000},
    {.host = "a.example", .leaf = {1, 2, 3}, .findings = WEAK, .expires = LONG_AGO},
    {.host = "b.example", .leaf = {1, 2, 3}, .findings = EXPIRED, .expires = 3000},
    {.host = "b.example", .leaf = {1, 2, 3}, .findings = MISMATCH, .expires = 2000},
    {.host = "10.0.0.1", .leaf = {1, 2, 3}, .findings = WEAK},
};

static tg_policy policy;

static int set_up(void **state)
{
    size_t i;

    (void)state;
    rules_init(&policy);
    for (i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        assert_int_equal(tg_index_add_exception(policy.index, &exceptions[i]), 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tg_arena_free(policy.arena);
    return 0;
}

static void expect(const char *host, unsigned port, const uint8_t digest[TG_SHA256_SIZE],
                   time_t now, uint64_t findings, time_t until)
{
    time_t end = -1;

    assert_int_equal(tg_policy_forgiven(&policy, host, port, digest, now, &end), findings);
    assert_int_equal(end, until);
}

static void test_only_that_host_and_leaf(void **state)
{
    (void)state;
    expect("a.example", 443, leaf, NOON, EXPIRED, 0);
    expect("A.Example.", 443, leaf, NOON, EXPIRED, 0);
    expect("a.example", 443, other_leaf, NOON, 0, 0);
    expect("a.example", 443, twin_leaf, NOON, 0, 0);
    expect("x.a.example", 443, leaf, NOON, 0, 0);
    expect("example", 443, leaf, NOON, 0, 0);
    expect("10.0.0.1", 443, leaf, NOON, WEAK, 0);
    expect("[::ffff:10.0.0.1]", 443, leaf, NOON, WEAK, 0);
    expect("10.0.0.2", 443, leaf, NOON, 0, 0);
    expect(NULL, 443, leaf, NOON, 0, 0);
    expect("", 443, leaf, NOON, 0, 0);
    expect("a example", 443, leaf, NOON, 0, 0);
}

static void test_only_that_port(void **state)
{
    (void)state;
    expect("a.example", 8443, leaf, NOON, EXPIRED | MISMATCH, 2000);
    expect("a.example", 8444, leaf, NOON, EXPIRED, 0);
    expect("a.example", 0, leaf, NOON, EXPIRED, 0);
}

static void test_only_until_it_expires(void **state)
{
    (void)state;
    expect("b.example", 443, leaf, 1999, EXPIRED | MISMATCH, 2000);
    expect("b.example", 443, leaf, 2000, EXPIRED, 3000);
    expect("b.example", 443, leaf, 2999, EXPIRED, 3000);
    expect("b.example", 443, leaf, 3000, 0, 0);
}

static void test_many_exceptions_of_one_host_are_told_apart(void **state)
{
    enum { MANY = 20000 };
    struct tg_exception *many = tg_arena_alloc(policy.arena, MANY * sizeof *many);
    const struct tg_exceptions *list;
    unsigned i;

    (void)state;
    assert_non_null(many);
    for (i = 0; i < MANY; i++) {
        many[i] = (struct tg_exception){.host = "many.example", .findings = i + 1};
        memcpy(many[i].leaf, &i, sizeof i);
        assert_int_equal(tg_index_add_exception(policy.index, &many[i]), 1);
    }
    expect("many.example", 443, many[4711].leaf, NOON, 4712, 0);
    list = tg_index_exceptions(policy.index, "many.example", many[4711].leaf);
    assert_non_null(list);
    assert_null(list->next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_that_host_and_leaf),
        cmocka_unit_test(test_only_that_port),
        cmocka_unit_test(test_only_until_it_expires),
        cmocka_unit_test(test_many_exceptions_of_one_host_are_told_apart),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
