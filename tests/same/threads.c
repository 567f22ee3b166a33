/* threads.c - many threads at one store, and many that load at once. */
#include "ask.h"
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 6
#define ANSWER  160

/* What all threads share, and what each found out: a line for each certificate. */
static X509_STORE *shared;
static const char *path;
static char **asked;
static int asked_count;
static char answers[THREADS][WORDS][ANSWER];
static pthread_barrier_t begin;

static void answer(char *text, const char *word)
{
    X509 *cert = read_cert(word);
    X509_STORE_CTX *context = context_for(shared, cert, NULL);
    STACK_OF(X509) *chain = NULL;
    int result = 0;

    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_NO_CHECK_TIME);
    result = X509_verify_cert(context);
    chain = X509_STORE_CTX_get0_chain(context);
    snprintf(text, ANSWER, "%s: %d error %d at %d, chain of %d, %lx", word, result,
             X509_STORE_CTX_get_error(context), X509_STORE_CTX_get_error_depth(context),
             sk_X509_num(chain),
             X509_subject_name_hash(sk_X509_value(chain, sk_X509_num(chain) - 1)));
    ERR_clear_error();
    X509_STORE_CTX_free(context);
    X509_free(cert);
}

/* Each begins with another certificate. */
static void *keep_asking(void *number)
{
    int thread = (int)(long)number;

    (void)pthread_barrier_wait(&begin);
    for (int i = 0; i < asked_count; i++) {
        int turn = (i + thread) % asked_count;

        answer(answers[thread][turn], asked[turn]);
    }
    return NULL;
}

/* Meanwhile another lists them, as a program does. */
static void *keep_listing(void *unused)
{
    (void)pthread_barrier_wait(&begin);
    for (int i = 0; i < asked_count; i++) {
        STACK_OF(X509) *certs = X509_STORE_get1_all_certs(shared);

        sk_X509_pop_free(certs, X509_free);
        X509_STORE_lock(shared);
        (void)sk_X509_OBJECT_num(X509_STORE_get0_objects(shared));
        X509_STORE_unlock(shared);
    }
    return unused;
}

/* Every other one has all brought in, while the rest lock the store and look. */
static void *lock(void *number)
{
    long thread = (long)number;

    (void)pthread_barrier_wait(&begin);
    if (thread % 2 == 0)
        sk_X509_pop_free(X509_STORE_get1_all_certs(shared), X509_free);
    for (int i = 0; i < 20; i++) {
        X509_STORE_lock(shared);
        snprintf(answers[thread][0], ANSWER, "%d objects",
                 sk_X509_OBJECT_num(X509_STORE_get0_objects(shared)));
        X509_STORE_unlock(shared);
    }
    return NULL;
}

static void *load(void *number)
{
    X509_STORE *store = X509_STORE_new();
    int loaded = 0;

    (void)pthread_barrier_wait(&begin);
    loaded = X509_STORE_load_file(store, path);
    snprintf(answers[(long)number][0], ANSWER, "loaded %d, %d objects", loaded,
             sk_X509_OBJECT_num(X509_STORE_get0_objects(store)));
    X509_STORE_free(store);
    return NULL;
}

static void *load_shared(void *number)
{
    (void)pthread_barrier_wait(&begin);
    snprintf(answers[(long)number][0], ANSWER, "loaded %d", X509_STORE_load_file(shared, path));
    return NULL;
}

static void together(void *(*run)(void *), void *(*beside)(void *))
{
    pthread_t threads[THREADS + 1];
    unsigned count = THREADS + (beside != NULL);

    quiet = true;
    memset(answers, 0, sizeof answers);
    pthread_barrier_init(&begin, NULL, count);
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, run, (void *)i);
    if (beside != NULL)
        pthread_create(&threads[THREADS], NULL, beside, NULL);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&begin);
    quiet = false;
}

static void show_answers(int count)
{
    for (int i = 0; i < count; i++) {
        puts(answers[0][i]);
        for (int thread = 1; thread < THREADS; thread++) {
            if (strcmp(answers[thread][i], answers[0][i]) != 0)
                printf("  but thread %d: %s\n", thread, answers[thread][i]);
        }
    }
}

static void set_asked(char **word)
{
    asked = word;
    for (asked_count = 0; asked_count < WORDS && *asked[asked_count] != '\0';)
        asked_count++;
}

/* threads store cert... */
static void threads(char **word)
{
    shared = store_of(word[1]);
    set_asked(word + 2);
    together(keep_asking, NULL);
    show_answers(asked_count);
}

/* The same, and another thread lists all. */
static void threads_listing(char **word)
{
    shared = store_of(word[1]);
    set_asked(word + 2);
    together(keep_asking, keep_listing);
    show_answers(asked_count);
}

/* threads-locking PATH cert times: each time a fresh store, of which one has been asked for. */
static void threads_locking(char **word)
{
    for (long left = strtol(word[3], NULL, 10); left > 0; left--) {
        shared = X509_STORE_new();
        (void)X509_STORE_load_file(shared, word[1]);
        answer(answers[0][0], word[2]);
        together(lock, NULL);
        X509_STORE_free(shared);
    }
    show_answers(1);
}

/* threads-load PATH: each into a store of its own. */
static void threads_load(char **word)
{
    path = word[1];
    together(load, NULL);
    show_answers(1);
}

/* threads-load-one store path: all into one. */
static void threads_load_one(char **word)
{
    shared = store_of(word[1]);
    path = word[2];
    together(load_shared, NULL);
    show_answers(1);
    tell("objects", sk_X509_OBJECT_num(X509_STORE_get0_objects(shared)));
}

const struct step thread_steps[] = {
    {"threads", threads},
    {"threads-listing", threads_listing},
    {"threads-locking", threads_locking},
    {"threads-load", threads_load},
    {"threads-load-one", threads_load_one},
    {NULL, NULL},
};
