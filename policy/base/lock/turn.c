#include "turn.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic pid_t none; /* in place of a page, and nothing is written there */

/*
 * A fork's child finds it empty. An emulator may say that it does what it ignores (qemu-user before
 * 8.0); it says so of what isn't any advice, too.
 */
static bool is_forgetful(void *page)
{
    return madvise(page, sizeof(none), -1) != 0 &&
           madvise(page, sizeof(none), MADV_WIPEONFORK) == 0;
}

/* Such a page; &none where there is none to be had. */
static _Atomic pid_t *fresh_page(void)
{
    void *fresh =
        mmap(NULL, sizeof(none), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (fresh != MAP_FAILED && is_forgetful(fresh))
        return fresh;
    if (fresh != MAP_FAILED)
        (void)munmap(fresh, sizeof(none));
    return &none;
}

/* The same at each call. Preserves errno. */
static _Atomic pid_t *forgetful_page(void)
{
    static _Atomic pid_t *_Atomic page;
    _Atomic pid_t *fresh = NULL, *found = atomic_load_explicit(&page, memory_order_acquire);
    int saved = errno;

    if (found != NULL)
        return found;
    fresh = fresh_page();
    errno = saved;
    if (atomic_compare_exchange_strong_explicit(&page, &found, fresh, memory_order_acq_rel,
                                                memory_order_acquire))
        return fresh;
    if (fresh != &none)
        (void)munmap(fresh, sizeof(none));
    return found;
}

/* As getpid(2), which a handshake would call hundreds of times. */
static pid_t process(void)
{
    _Atomic pid_t *page = forgetful_page();
    pid_t kept = atomic_load_explicit(page, memory_order_relaxed);

    if (kept != 0)
        return kept;
    kept = getpid();
    if (page != &none)
        atomic_store_explicit(page, kept, memory_order_relaxed);
    return kept;
}

/*
 * 22 bits of the process and 42 of the thread: addresses have up to 48 (arm64), and two descriptors
 * of threads are further apart than 64 bytes.
 */
#define THREAD_BITS 42

uint64_t tg_turn_self(void)
{
    return (uint64_t)process() << THREAD_BITS |
           ((uint64_t)pthread_self() >> 6 & ((UINT64_C(1) << THREAD_BITS) - 1));
}

/*
 * Lets the thread go on that is waited for: one of a lower priority too, to which sched_yield(2) of
 * a real-time thread doesn't yield. By a system call that every program with threads may make, also
 * under seccomp(2), and that is no cancellation point.
 */
static void wait_for_other(unsigned round)
{
    enum { BRIEF = 16, WAIT_PRIVATE = 128 }; /* the latter of <linux/futex.h>, which musl has not */
    const struct timespec pause = {.tv_nsec = 50000};
    static uint32_t word;
    int saved = errno;

    if (round < BRIEF)
        (void)sched_yield();
    else
        (void)syscall(SYS_futex, &word, WAIT_PRIVATE, 0, &pause, NULL, 0);
    errno = saved;
}

bool tg_turn_take(tg_turn *turn)
{
    uint64_t me = tg_turn_self(), other = 0;
    unsigned round = 0;

    while (!atomic_compare_exchange_strong_explicit(turn, &other, me, memory_order_acquire,
                                                    memory_order_relaxed)) {
        if (other == me)
            return false;
        if (other >> THREAD_BITS != me >> THREAD_BITS)
            continue; /* a thread of the parent's had it: it is taken from that one */
        other = 0;
        wait_for_other(round++);
    }
    return true;
}

void tg_turn_give(tg_turn *turn, bool taken)
{
    if (taken)
        atomic_store_explicit(turn, 0, memory_order_release);
}
