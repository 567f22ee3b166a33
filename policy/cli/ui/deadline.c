#include "deadline.h"
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <time.h>

static atomic_bool cancelled;

int64_t tg_deadline_in(int seconds)
{
    struct timespec time = {0};

    clock_gettime(CLOCK_MONOTONIC, &time);
    return ((int64_t)time.tv_sec + seconds) * 1000 + time.tv_nsec / 1000000;
}

void tg_deadline_cancel(void)
{
    atomic_store(&cancelled, true);
}

bool tg_deadline_cancelled(void)
{
    return atomic_load(&cancelled);
}

bool tg_deadline_poll(int fd, short events, int64_t deadline)
{
    struct pollfd one = {.fd = fd, .events = events};
    int64_t left;
    int ready = 0;

    while (!tg_deadline_cancelled() && (left = deadline - tg_deadline_in(0)) > 0) {
        ready = poll(&one, 1, left < TG_DEADLINE_SLICE ? (int)left : TG_DEADLINE_SLICE);
        if (ready > 0 || (ready == -1 && errno != EINTR))
            break;
    }
    return ready > 0;
}

void tg_deadline_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void tg_deadline_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline)
{
    const struct timespec until = {.tv_sec = (time_t)(deadline / 1000),
                                   .tv_nsec = (long)(deadline % 1000) * 1000000};

    pthread_cond_timedwait(condition, lock, &until);
}
