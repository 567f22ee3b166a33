/* setters.c - what the preload sees an application set: remembered, while ours stay in place. */
#include "arrival.h"
#include "gate.h"
#include "hook.h"
#include "inject.h"
#include "log.h"
#include "peer.h"

static struct tg_context_state *context_state(void *ssl_ctx_new, const SSL_CTX *ctx)
{
    const struct tg_hooked *hooked = tg_hooked_known(ssl_ctx_new);

    return hooked != NULL ? tg_context_state_of(hooked, ctx) : NULL;
}

static struct tg_connection_state *connection_state(void *ssl_ctx_new, const SSL *ssl)
{
    const struct tg_hooked *hooked = tg_hooked_known(ssl_ctx_new);

    return hooked != NULL ? tg_connection_state_of(hooked, ssl) : NULL;
}

bool tg_inject_set_app_verify(void *ssl_ctx_new, SSL_CTX *ctx,
                              int (*callback)(X509_STORE_CTX *, void *), void *arg)
{
    struct tg_context_state *state = context_state(ssl_ctx_new, ctx);

    if (state == NULL)
        return false;
    state->verify = callback;
    state->verify_arg = arg;
    return true;
}

bool tg_inject_set_app_info(void *ssl_ctx_new, SSL *ssl, void (*callback)(const SSL *, int, int))
{
    struct tg_connection_state *state = connection_state(ssl_ctx_new, ssl);

    if (state == NULL)
        return false;
    tg_gate_raise(tg_hooked_known(ssl_ctx_new), ssl);
    state->info = callback;
    return true;
}

bool tg_inject_get_app_info(void *ssl_ctx_new, const SSL *ssl,
                            void (**callback)(const SSL *, int, int))
{
    const struct tg_connection_state *state = connection_state(ssl_ctx_new, ssl);

    if (state == NULL)
        return false;
    *callback = state->info;
    return true;
}

/* What stands in for the custom_verify callbacks of the applications on one library: these carry no
 * argument that tells which. */
static int custom(size_t number, SSL *ssl, uint8_t *alert)
{
    const struct tg_hooked *hooked = tg_hooked_of(tg_cryptolib_number(number), ssl);

    return hooked != NULL ? tg_hook_verify_custom(hooked, ssl, alert) : TG_CUSTOM_INVALID;
}

#define CUSTOM(number)                                                                             \
    static int custom_##number(SSL *ssl, uint8_t *alert)                                           \
    {                                                                                              \
        return custom(number, ssl, alert);                                                         \
    }
CUSTOM(0)
CUSTOM(1)
CUSTOM(2)
CUSTOM(3)

static tg_custom_callback *custom_of(const struct tg_cryptolib *library)
{
    static tg_custom_callback *const customs[TG_CRYPTOLIBS] = {custom_0, custom_1, custom_2,
                                                               custom_3};

    return customs[library->number];
}

/* Without a callback BoringSSL verifies as OpenSSL does, and asks the one of the context. */
tg_custom_callback *tg_inject_set_ctx_custom(void *ssl_ctx_new, SSL_CTX *ctx,
                                             tg_custom_callback *callback)
{
    struct tg_context_state *state = context_state(ssl_ctx_new, ctx);

    if (state == NULL)
        return callback;
    state->custom = callback;
    return callback != NULL ? custom_of(tg_hooked_known(ssl_ctx_new)->library) : NULL;
}

tg_custom_callback *tg_inject_set_custom(void *ssl_ctx_new, SSL *ssl, tg_custom_callback *callback)
{
    struct tg_connection_state *state = connection_state(ssl_ctx_new, ssl);

    if (state == NULL)
        return callback;
    state->custom = callback;
    return callback != NULL ? custom_of(tg_hooked_known(ssl_ctx_new)->library) : NULL;
}

void tg_inject_set_sockets(const struct tg_inject_sockets *sockets)
{
    tg_peer_set_sockets(sockets);
}

void tg_inject_set_source(const struct tg_policy_source *source)
{
    tg_process_came_with(source);
}

void tg_inject_set_stderr(dev_t device, ino_t inode)
{
    tg_log_set_stderr(device, inode);
}

int tg_inject_version(void)
{
    return TG_INJECT_VERSION;
}
