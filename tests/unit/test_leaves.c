/* test_leaves.c - which leaves a program may be told are good. */
#include "leaves.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* behind them */
#include <cmocka.h>

/* A digest of its own for each NUMBER. */
static const uint8_t *leaf(uint32_t number)
{
    static uint8_t digest[TG_SHA256_SIZE];

    memset(digest, 7, sizeof(digest));
    for (unsigned i = 0; i < 4; i++)
        digest[i] = digest[4 + i] = (uint8_t)((number * 2654435761u) >> 8 * i);
    return digest;
}

static void a_leaf_is_good_for_the_host_it_was_accepted_for(void **state)
{
    (void)state;
    assert_false(tg_leaves_know(leaf(1), NULL));
    tg_leaves_accept(leaf(1), "one.test");
    assert_true(tg_leaves_any());
    assert_true(tg_leaves_know(leaf(1), "one.test"));
    assert_true(tg_leaves_know(leaf(1), NULL));
    assert_false(tg_leaves_know(leaf(1), "two.test"));
    assert_false(tg_leaves_know(leaf(2), NULL));
    tg_leaves_accept(leaf(1), "two.test");
    assert_true(tg_leaves_know(leaf(1), "two.test"));
    assert_true(tg_leaves_know(leaf(1), "one.test"));
}

static void a_leaf_that_was_left_speaks_for_none(void **state)
{
    (void)state;
    tg_leaves_accept(leaf(3), "one.test");
    tg_leaves_leave(leaf(3));
    assert_false(tg_leaves_know(leaf(3), "one.test"));
    tg_leaves_leave(leaf(4));
    tg_leaves_accept(leaf(4), "one.test");
    assert_false(tg_leaves_know(leaf(4), NULL));
}

static void the_oldest_gives_way(void **state)
{
    (void)state;
    for (uint32_t i = 100; i < 1100; i++)
        tg_leaves_accept(leaf(i), "many.test");
    assert_false(tg_leaves_know(leaf(100), NULL));
    assert_true(tg_leaves_know(leaf(1099), "many.test"));
    assert_true(tg_leaves_know(leaf(600), "many.test"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_is_good_for_the_host_it_was_accepted_for),
        cmocka_unit_test(a_leaf_that_was_left_speaks_for_none),
        cmocka_unit_test(the_oldest_gives_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
