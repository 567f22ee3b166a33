#include "turn.h"
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

/* A page that a fork's child finds empty (madvise(2)); NULL: there is none to be had. */
static _Atomic pid_t *forgetful_page(void)
{
    static _Atomic pid_t *_Atomic page;
    _Atomic pid_t *fresh = NULL, *found = atomic_load_explicit(&page, memory_order_acquire);

    if (found != NULL)
        return found;
    fresh = mmap(NULL, sizeof(*fresh), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fresh == MAP_FAILED)
        return NULL;
    if (madvise(fresh, sizeof(*fresh), MADV_WIPEONFORK) == 0 &&
        atomic_compare_exchange_strong_explicit(&page, &found, fresh, memory_order_acq_rel,
                                                memory_order_acquire))
        return fresh;
    (void)munmap(fresh, sizeof(*fresh));
    return found;
}

/* As getpid(2), which a handshake would call hundreds of times. */
static pid_t process(void)
{
    _Atomic pid_t *page = forgetful_page();
    pid_t kept = page != NULL ? atomic_load_explicit(page, memory_order_relaxed) : 0;

    if (kept != 0)
        return kept;
    kept = getpid();
    if (page != NULL)
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

bool tg_turn_take(tg_turn *turn)
{
    uint64_t me = tg_turn_self(), other = 0;

    while (!atomic_compare_exchange_strong_explicit(turn, &other, me, memory_order_acquire,
                                                    memory_order_relaxed)) {
        if (other == me)
            return false;
        if (other >> THREAD_BITS != me >> THREAD_BITS)
            continue; /* a thread of the parent's had it: it is taken from that one */
        other = 0;
        (void)sched_yield();
    }
    return true;
}

void tg_turn_give(tg_turn *turn, bool taken)
{
    if (taken)
        atomic_store_explicit(turn, 0, memory_order_release);
}
