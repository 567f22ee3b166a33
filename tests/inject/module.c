#include "module.h"
#include "pair.h"
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

extern const struct module module;

/* It is the same each time; threads may come at once. */
static void set_up(const char *pki, int trusting)
{
    static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;
    static bool done;

    (void)pthread_mutex_lock(&busy);
    if (!done)
        pair_setup(pki, trusting);
    done = true;
    (void)pthread_mutex_unlock(&busy);
}

static const char *connect_once(const char *pki, int trusting)
{
    set_up(pki, trusting);
    return outcome_word(pair_once());
}

static SSL_CTX *passed_on(const SSL_METHOD *method)
{
    return SSL_CTX_new(method);
}

static const char *connect_with(SSL_CTX *ctx, const char *pki, int trusting)
{
    enum outcome outcome = REFUSED;

    set_up(pki, trusting);
    if (ctx != NULL)
        outcome = pair_prepare(ctx) ? pair_connect(pair_connection(ctx)) : BROKEN;
    SSL_CTX_free(ctx);
    return outcome_word(outcome);
}

__attribute__((visibility("default")))
const struct module module = {connect_once, passed_on, connect_with, TLS_client_method};
