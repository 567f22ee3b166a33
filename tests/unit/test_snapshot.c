/*
 * What is in force, and threads that come and go while it is replaced: what another thread does
 * between two steps of one is done here in between, at the exchange that takes a policy away.
 */
static void meanwhile(void);

/* A copy of process.c under names of its own. An exchange is itself, behind what happens first. */
#define __atomic_compare_exchange_n(...) (meanwhile(), __atomic_compare_exchange_n(__VA_ARGS__))
#define tg_policy_free                   copy_policy_free
#define tg_process_configure             copy_configure
#define tg_process_came_with             copy_came_with
#define tg_process_has_origin            copy_has_origin
#define tg_process_enter                 copy_enter
#define tg_process_leave                 copy_leave
#define tg_process_inert                 copy_inert
#define tg_process_program               copy_program
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "../../policy/hook/process/process.c"

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
    put_in_force(&snapshots[0], &snapshots[1], &one);
}

static void one_thread_takes_a_replaced_policy_away(void **state)
{
    struct snapshot *first = NULL, *second = NULL;

    (void)state;
    use(&snapshots[0], &one);
    snapshots[0].replaced = false;
    first = enter();
    second = enter();
    assert_ptr_equal(free_place(), &snapshots[1]);
    put_in_force(&snapshots[1], first, &two);
    leave(first);
    assert_int_equal(freed, 0);
    other_thread = take_and_replace;
    leave(second);
    assert_null(other_thread);

    /* The one in force is whole, and only the other is gone. */
    assert_int_equal(freed, 1);
    first = enter();
    assert_ptr_equal(first->process.policy, &one);
    assert_ptr_equal(free_place(), &snapshots[2]);
    release(&snapshots[1]);
    assert_int_equal(freed, 2);
    leave(first);
    assert_int_equal(freed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_takes_a_replaced_policy_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
