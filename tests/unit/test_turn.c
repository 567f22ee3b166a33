/* test_turn.c - one thread at a time, and who takes it from whom. */
#include "turn.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
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

/* A real-time thread, on the one processor that it has together with whom it waits for. */
static void *wait_for_it(void *arg)
{
    bool taken = tg_turn_take(&turn);

    (void)arg;
    tg_turn_give(&turn, taken);
    return NULL;
}

/* 0 if such a thread gets it; WITHOUT_RIGHT if it may not be made. Whoever waits there without
 * sleeping is killed by RLIMIT_RTTIME. */
#define WITHOUT_RIGHT 77
static int take_in_real_time(void)
{
    const struct rlimit awake = {100000, 100000}; /* microseconds */
    const struct sched_param lowest = {.sched_priority = 1};
    pthread_attr_t attributes;
    pthread_t thread;
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof(one), &one) != 0 || setrlimit(RLIMIT_RTTIME, &awake) != 0 ||
        pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED) != 0 ||
        pthread_attr_setschedpolicy(&attributes, SCHED_FIFO) != 0 ||
        pthread_attr_setschedparam(&attributes, &lowest) != 0 || !tg_turn_take(&turn))
        return 2;
    if (pthread_create(&thread, &attributes, wait_for_it, NULL) != 0)
        return WITHOUT_RIGHT;
    tg_turn_give(&turn, true);
    return pthread_join(thread, NULL) == 0 ? 0 : 3;
}

static void a_real_time_thread_lets_whoever_has_it_go_on(void **state)
{
    int status = 1;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        (void)alarm(60);
        _exit(take_in_real_time());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == WITHOUT_RIGHT)
        skip();
    assert_int_equal(status, 0);
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
        cmocka_unit_test(a_real_time_thread_lets_whoever_has_it_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
