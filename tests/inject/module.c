#include "module.h"
#include "pair.h"
#include <string.h>

extern const struct module module;

static const char *connect_once(const char *pki, int trusting)
{
    pair_setup(pki, trusting);
    return outcome_word(pair_once());
}

static SSL_CTX *passed_on(const SSL_METHOD *method)
{
    return SSL_CTX_new(method);
}

static const char *connect_with(SSL_CTX *ctx, const char *pki, int trusting)
{
    enum outcome outcome = REFUSED;

    pair_setup(pki, trusting);
    if (ctx != NULL)
        outcome = pair_prepare(ctx) ? pair_connect(pair_connection(ctx)) : BROKEN;
    SSL_CTX_free(ctx);
    return outcome_word(outcome);
}

__attribute__((visibility("default")))
const struct module module = {connect_once, passed_on, connect_with, TLS_client_method};
