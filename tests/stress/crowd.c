/*
 * crowd.c - crowd PKI POLICY SECONDS: threads that put one context under the policy at once; then
 * threads that shake hands, on contexts of their own and on one that they share, while the policy
 * is replaced again and again. The engine is linked in, for ThreadSanitizer. Prints what came of
 * it; 0 only if each verdict was one of either version's.
 */
#include "inject.h"
#include "meet.h"
#include "trustgraft.h"
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

/* ---- contexts that the program itself puts under the policy ---- */

#define ROUNDS 300

static SSL_CTX *given;
static X509 *stranger;
static pthread_barrier_t begin;
static atomic_int heard;

static void hear(const SSL *ssl, int where, int value)
{
    (void)ssl, (void)value;
    if (where & SSL_CB_HANDSHAKE_DONE)
        atomic_fetch_add(&heard, 1);
}

/* What libssl does for a certificate, right when another thread does it for the same context. */
static void *ask(void *arg)
{
    int index = SSL_get_ex_data_X509_STORE_CTX_idx();

    for (int i = 0; i < ROUNDS; i++) {
        X509_STORE_CTX *context = X509_STORE_CTX_new();
        SSL *ssl = NULL;

        (void)pthread_barrier_wait(&begin);
        ssl = pair_connection(given);
        if (ssl == NULL || !X509_STORE_CTX_init(context, NULL, stranger, NULL) ||
            !X509_STORE_CTX_set_ex_data(context, index, ssl))
            atomic_fetch_add(&wrong, 1);
        (void)pthread_barrier_wait(&begin);
        if (tg_verify_callback(context, NULL) == 1)
            atomic_fetch_add(&wrong, 1);
        X509_STORE_CTX_free(context);
        SSL_free(ssl);
        (void)pthread_barrier_wait(&begin);
    }
    return arg;
}

/* Before anything is injected. Whoever comes first, the context's own callback is still told. */
static bool give(void)
{
    pthread_t thread[2];
    int deaf = 0;

    stranger = X509_new();
    if (stranger == NULL || pthread_barrier_init(&begin, NULL, 3) != 0 ||
        pthread_create(&thread[0], NULL, ask, NULL) != 0 ||
        pthread_create(&thread[1], NULL, ask, NULL) != 0)
        return false;
    for (int i = 0; i < ROUNDS; i++) {
        given = pair_client();
        SSL_CTX_set_info_callback(given, hear);
        SSL_CTX_set_cert_verify_callback(given, tg_verify_callback, NULL);
        for (int j = 0; j < 3; j++)
            (void)pthread_barrier_wait(&begin);
        heard = 0;
        expect(ACCEPTED, meet(given, PAIR_HOST));
        deaf += heard == 0;
        SSL_CTX_free(given);
    }
    (void)pthread_join(thread[0], NULL);
    (void)pthread_join(thread[1], NULL);
    X509_free(stranger);
    (void)printf("%d of %d deaf; ", deaf, ROUNDS);
    return deaf == 0;
}

/* For so long, and for longer on a busy machine on which one version wasn't met as yet. */
static int keep_turning(int seconds)
{
    const struct timespec rest = {.tv_nsec = 15000000};
    time_t end = time(NULL) + seconds, late = end + 300;
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
    if (setenv("TRUSTGRAFT_POLICY", argv[2], 1) != 0 || !give())
        return 1;
    if (tg_inject_libcrypto((const void *)X509_verify_cert, argv[2], NULL, NULL) !=
            TG_INJECT_HOOKED ||
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
