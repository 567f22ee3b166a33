/*
 * crowd.c - crowd PKI POLICY SECONDS: threads that shake hands, on contexts of their own and on
 * one that they share, while the policy is replaced again and again. The engine is linked in, for
 * ThreadSanitizer. Prints what came of it; 0 only if each verdict was one of either version's.
 */
#include "inject.h"
#include "meet.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define THREADS 6

static atomic_bool stop;
static atomic_int right, wrong, turned[BROKEN + 1];

static void expect(enum outcome wanted, enum outcome got)
{
    atomic_fetch_add(got == wanted ? &right : &wrong, 1);
}

/* CTX is NULL for a new one each time. */
static void *keep_meeting(void *ctx)
{
    while (!stop) {
        SSL_CTX *used = ctx != NULL ? ctx : pair_client();

        expect(ACCEPTED, meet(used, PAIR_HOST));
        expect(REFUSED, meet(used, MEET_REJECTED));
        atomic_fetch_add(&turned[meet(used, MEET_TURNING)], 1);
        if (ctx == NULL)
            SSL_CTX_free(used);
    }
    return NULL;
}

/* For so long, and for longer on a busy machine on which one version wasn't met as yet. */
static int keep_turning(int seconds)
{
    const struct timespec rest = {.tv_nsec = 15000000};
    time_t end = time(NULL) + seconds, late = end + 60;
    int version = 0;

    while (time(NULL) < end ||
           (time(NULL) < late && (turned[ACCEPTED] == 0 || turned[REFUSED] == 0))) {
        meet_turn(++version);
        (void)nanosleep(&rest, NULL);
    }
    return version;
}

int main(int argc, char **argv)
{
    pthread_t thread[THREADS];
    SSL_CTX *shared = NULL;
    int started = 0, versions = 0;

    if (argc != 4)
        return 2;
    meet_setup(argv[1], argv[2], 0);
    meet_turn(0);
    if (tg_inject_libcrypto(argv[2], NULL, NULL) != TG_INJECT_HOOKED ||
        (shared = pair_client()) == NULL)
        return 2;
    while (started < THREADS &&
           pthread_create(&thread[started], NULL, keep_meeting, started % 2 ? shared : NULL) == 0)
        started++;
    versions = keep_turning((int)strtol(argv[3], NULL, 10));
    stop = true;
    while (started > 0)
        (void)pthread_join(thread[--started], NULL);
    SSL_CTX_free(shared);
    (void)printf("%d versions, %d right, %d wrong; in turn %d accepted, %d refused, %d broken\n",
                 versions, right, wrong, turned[ACCEPTED], turned[REFUSED], turned[BROKEN]);
    return right == 0 || wrong + turned[BROKEN] > 0 || turned[ACCEPTED] == 0 ||
           turned[REFUSED] == 0;
}
