/* test_turn.c - one thread at a time, and who takes it from whom. */
#include "turn.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
/* behind them */
#include <cmocka.h>

static tg_turn turn;
static bool lies; /* madvise(2) does nothing, and says that it did: as qemu-user's before 8.0 */

__attribute__((visibility("default"))) int madvise(void *address, size_t length, int advice)
{
    return lies ? 0 : (int)syscall(SYS_madvise, address, length, advice);
}

static void *keep(void *taken)
{
    if (tg_turn_take(&turn))
        sem_post(taken);
    return NULL;
}

/* 0 if a child takes it from a thread that its parent has, and so does a child of its own. */
static int take_in_child(void)
{
    pthread_t thread;
    sem_t taken;
    int status = 1;
    pid_t child;

    if (sem_init(&taken, 0, 0) != 0 || pthread_create(&thread, NULL, keep, &taken) != 0 ||
        sem_wait(&taken) != 0)
        return 2;
    child = fork();
    if (child == 0) {
        (void)alarm(60); /* who waits for it waits for ever */
        _exit(tg_turn_take(&turn) && !tg_turn_take(&turn) ? 0 : 3);
    }
    return waitpid(child, &status, 0) == child && status == 0 ? 0 : 4;
}

/* By a process that has asked nothing of the kind before. */
static int take_where_madvise(bool does_nothing)
{
    int status = 1;
    pid_t child = fork();

    if (child == 0) {
        lies = does_nothing;
        errno = ERANGE;
        _exit(tg_turn_self() != 0 && errno == ERANGE ? take_in_child() : 5);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void a_child_takes_it_from_a_thread_of_the_parent(void **state)
{
    (void)state;
    assert_int_equal(take_where_madvise(false), 0);
}

static void a_child_is_told_from_its_parent_where_madvise_does_nothing(void **state)
{
    (void)state;
    assert_int_equal(take_where_madvise(true), 0);
}

static void who_has_it_comes_in_twice(void **state)
{
    (void)state;
    assert_true(tg_turn_take(&turn));
    assert_false(tg_turn_take(&turn));
    tg_turn_give(&turn, false);
    assert_int_equal(turn, tg_turn_self());
    tg_turn_give(&turn, true);
    assert_int_equal(turn, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_takes_it_from_a_thread_of_the_parent),
        cmocka_unit_test(a_child_is_told_from_its_parent_where_madvise_does_nothing),
        cmocka_unit_test(who_has_it_comes_in_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
