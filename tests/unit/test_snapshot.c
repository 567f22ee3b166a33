/*
 * What is in force, and threads that come and go while it is replaced: what another thread does
 * between two steps of one is done here in between, at the exchange that takes a policy away.
 */
static void meanwhile(void);

/* A copy of snapshot.c under names of its own. An exchange is itself, behind what happens first. */
#include <stdatomic.h>
#undef atomic_compare_exchange_strong
#define atomic_compare_exchange_strong(object, expected, desired)                                  \
    (meanwhile(), atomic_compare_exchange_strong_explicit(                                         \
                      object, expected, desired, memory_order_seq_cst, memory_order_seq_cst))
#define tg_policy_free      copy_policy_free
#define tg_snapshot_begin   copy_begin
#define tg_snapshot_enter   copy_enter
#define tg_snapshot_leave   copy_leave
#define tg_snapshot_place   copy_place
#define tg_snapshot_replace copy_replace
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "../../policy/hook/process/snapshot.c"

#include "policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int freed;
static void (*other_thread)(void);
static tg_policy one, two;

void tg_policy_free(tg_policy *policy)
{
    (void)policy;
    freed++;
}

static void meanwhile(void)
{
    void (*now)(void) = other_thread;

    other_thread = NULL;
    if (now != NULL)
        now();
}

/* The policy goes, and later one that lies at its address comes into force in the same place. */
static void take_and_replace(void)
{
    release(&snapshots[0]);
    assert_int_equal(freed, 1);
    tg_snapshot_replace(&snapshots[0], &snapshots[1].process, &one);
}

static void one_thread_takes_a_replaced_policy_away(void **state)
{
    const struct tg_process *first = NULL, *second = NULL;

    (void)state;
    tg_snapshot_begin(&(struct tg_process){.path = "/policy.conf"}, &one);
    first = tg_snapshot_enter();
    second = tg_snapshot_enter();
    assert_ptr_equal(tg_snapshot_place(), &snapshots[1]);
    tg_snapshot_replace(&snapshots[1], first, &two);
    tg_snapshot_leave(first);
    assert_int_equal(freed, 0);
    other_thread = take_and_replace;
    tg_snapshot_leave(second);
    assert_null(other_thread);

    /* The one in force is whole, and only the other is gone. */
    assert_int_equal(freed, 1);
    first = tg_snapshot_enter();
    assert_ptr_equal(first->policy, &one);
    assert_ptr_equal(tg_snapshot_place(), &snapshots[2]);
    release(&snapshots[1]);
    assert_int_equal(freed, 2);
    tg_snapshot_leave(first);
    assert_int_equal(freed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_takes_a_replaced_policy_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
