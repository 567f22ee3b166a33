/*
 * deadline.h - how long the command waits for anything: until a time of the clock that nobody sets,
 * or until the user ends all waiting at once.
 */
#ifndef TG_DEADLINE_H
#define TG_DEADLINE_H

#include "trustgraft.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Milliseconds between looks at tg_deadline_cancelled while something is waited for. */
#define TG_DEADLINE_SLICE 100

/* Deadlines are milliseconds of CLOCK_MONOTONIC; this one is SECONDS from now, 0: now. */
int64_t tg_deadline_in(int seconds);

/* Ends everything that is waited for in the process, soon and for good. Any thread may. */
void tg_deadline_cancel(void);
bool tg_deadline_cancelled(void);

/* Waits for EVENTS of poll(2) on FD. False when DEADLINE has passed, or all waiting was ended. */
TG_MUST_USE bool tg_deadline_poll(int fd, short events, int64_t deadline);

/* Initialises CONDITION for tg_deadline_wait. */
void tg_deadline_condition(pthread_cond_t *condition);

/* Waits for CONDITION with LOCK held, until DEADLINE at most; it may return early. */
void tg_deadline_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline);

#endif
