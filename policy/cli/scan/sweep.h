/* sweep.h - many hosts called and evaluated at a time, by a bounded number of threads. */
#ifndef TG_SWEEP_H
#define TG_SWEEP_H

#include "facts.h"
#include "question.h"
#include "targets.h"
#include "trustgraft.h"
#include <pthread.h>

enum tg_sweep_state {
    TG_SWEEP_PENDING, /* the sweep was ended before */
    TG_SWEEP_ACCEPTED,
    TG_SWEEP_REFUSED,
    TG_SWEEP_FAILED, /* there was no TLS connection, or nothing that could be evaluated */
    TG_SWEEP_STATES
};

/* What came of one target. */
struct tg_sweep_result {
    enum tg_sweep_state state;
    bool done;
    struct tg_sweep_finding {
        enum tg_finding_kind kind;
        char *text;
    } * findings; /* of a refusal */
    size_t finding_count;
    char *failure; /* a sentence */
    char *json;    /* where the question's options ask for it; an object without a newline */
    bool pinned;   /* it was accepted, and PIN is its leaf's key */
    uint8_t pin[TG_SHA256_SIZE];
    struct tg_facts facts;
    STACK_OF(X509) *path; /* leaf first, where a page is to be made; else NULL */
};

/* Zero-initialise but for what is borrowed and `jobs`. */
struct tg_sweep {
    const struct tg_targets *targets;
    const struct tg_route *route;
    const struct tg_question *question; /* without an endpoint: its policy, program, time... */
    int jobs;
    time_t now, soon;                /* when it began, and what ends before is told */
    struct tg_sweep_result *results; /* one for each target */
    size_t counts[TG_SWEEP_STATES];  /* how many are in each state */
    size_t finished;
    /* What threads share, below LOCK. */
    pthread_mutex_t lock;
    pthread_cond_t news, room;
    pthread_t *threads;
    int running;
    size_t next, taken;
    bool ended;
};

/* Begins it. False after a complaint. */
TG_MUST_USE bool tg_sweep_begin(struct tg_sweep *sweep);

/*
 * Waits for news, a tenth of a second at most. Results before number TAKEN have been dealt with:
 * threads go only so far beyond that, to bound what they keep. False if all are done.
 */
TG_MUST_USE bool tg_sweep_wait(struct tg_sweep *sweep, size_t taken);

/* Ends it, soon where it isn't finished, and waits for all threads. */
void tg_sweep_end(struct tg_sweep *sweep);

void tg_sweep_clear(struct tg_sweep *sweep);

#endif
