#include "inject.h"
#include "bound.h"
#include "hook.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

int tg_context_index = -1, tg_connection_index = -1;

/* Unassigned by IANA; never on the wire, since tg_gate_hello sends nothing. */
#define EXTENSION 0x7467

static bool hook_context(const struct tg_hooked *hooked, SSL_CTX *context, CRYPTO_EX_DATA *data,
                         int index)
{
    struct tg_context_state *state = calloc(1, sizeof(*state));

    if (state == NULL || !CRYPTO_set_ex_data(data, index, state)) {
        free(state);
        return false;
    }
    hooked->libssl.SSL_CTX_set_info_callback(context, tg_gate);
    return hooked->libssl.SSL_CTX_add_custom_ext(context, EXTENSION, SSL_EXT_CLIENT_HELLO,
                                                 tg_gate_hello, NULL, NULL, NULL, NULL);
}

/* CRYPTO_EX_new of SSL_CTX. */
static void new_context(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                        void *argp)
{
    const struct tg_hooked *hooked = NULL;
    int saved = errno;

    (void)ptr, (void)argl, (void)argp;
    if (!tg_process_inert())
        hooked = tg_hooked_of_context(parent);
    if (hooked != NULL)
        hooked->libssl.SSL_CTX_set_cert_verify_callback(
            parent, hook_context(hooked, parent, data, index) ? tg_hook_verify : tg_hook_refuse,
            (void *)hooked);
    errno = saved;
}

static void add_state(const struct tg_hooked *hooked, CRYPTO_EX_DATA *data, int index)
{
    struct tg_connection_state *state = calloc(1, sizeof(*state));

    if (state == NULL)
        return;
    state->hooked = hooked;
    if (!CRYPTO_set_ex_data(data, index, state))
        free(state);
}

/*
 * CRYPTO_EX_new of SSL. From OpenSSL 3.2 on the object is all zeros then, and may be one of
 * QUIC's that is smaller than a connection: only its ex_data may be touched, and the gate of
 * the context stands in until the handshake starts. Before, it belongs to its context already.
 * Without memory for our ex_data the gate evaluates once more.
 */
static void new_connection(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                           void *argp)
{
    const struct tg_hooked *any = NULL, *hooked = NULL;
    const SSL_CTX *context = NULL;
    int saved = errno;

    (void)ptr, (void)argl, (void)argp;
    if (!tg_process_inert())
        any = tg_hooked_any();
    if (any != NULL)
        context = any->libssl.SSL_get_SSL_CTX(parent);
    if (context != NULL)
        hooked = tg_hooked_of_context(context);
    if (hooked != NULL)
        hooked->libssl.SSL_set_info_callback(parent, tg_gate);
    if (any != NULL && (context == NULL || hooked != NULL))
        add_state(hooked, data, index);
    errno = saved;
}

/* CRYPTO_EX_dup of SSL, for SSL_dup(3): the copy starts a handshake of its own. */
static int copy_connection(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **from_d, int index,
                           long argl, void *argp)
{
    const struct tg_connection_state *original = *from_d;
    struct tg_connection_state *copy = NULL;

    (void)from, (void)argl, (void)argp;
    if (original == NULL)
        return 1;
    copy = CRYPTO_get_ex_data(to, index); /* of SSL_new, which made the copy */
    if (copy == NULL)
        copy = calloc(1, sizeof(*copy));
    if (copy == NULL)
        return 0;
    copy->hooked = original->hooked;
    copy->info = original->info;
    *from_d = copy;
    return 1;
}

static void free_context(void *parent, void *state, CRYPTO_EX_DATA *data, int index, long argl,
                         void *argp)
{
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    free(state);
}

static void free_connection(void *parent, void *state, CRYPTO_EX_DATA *data, int index, long argl,
                            void *argp)
{
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    if (state != NULL)
        tg_wire_leave(state);
    free(state);
}

/*
 * Qt's QSslSocket takes one index of its own and, unasked, uses the next two as well: ours must
 * not be among them where it came first.
 */
static bool skip_indexes(void)
{
    enum { SKIPPED = 2 };
    int index = 0;

    for (int i = 0; i < SKIPPED && index >= 0; i++)
        index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, NULL, NULL, NULL);
    return index >= 0;
}

static void register_indexes(void)
{
    const char *astray = tg_bound_astray();

    if (astray != NULL) {
        tg_log_complain(TG_ORIGIN_ENVIRONMENT,
                        "%s comes from another libcrypto than the rest: this program's OpenSSL "
                        "can't be put under a policy",
                        astray);
        return;
    }
    tg_context_index =
        CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, new_context, NULL, free_context);
    if (skip_indexes())
        tg_connection_index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, new_connection,
                                                      copy_connection, free_connection);
    if (!tg_wire_register() || tg_context_index < 0 || tg_connection_index < 0)
        tg_log_complain(TG_ORIGIN_ENVIRONMENT, "OpenSSL refused to be hooked");
}

static enum tg_injected inject(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, register_indexes);
    return tg_context_index >= 0 && tg_connection_index >= 0 ? TG_INJECT_HOOKED : TG_INJECT_FAILED;
}

enum tg_injected tg_inject_libcrypto(const char *policy, const char *problem)
{
    enum tg_injected injected;

    tg_process_configure(policy, problem);
    injected = inject();
    if (injected == TG_INJECT_HOOKED)
        tg_hooked_prepare();
    return injected;
}

/* A libssl that can't be hooked may go its way only where there is nothing to enforce. */
enum tg_injected tg_inject_libssl(void *ssl_ctx_new)
{
    int saved = errno;
    enum tg_injected injected = TG_INJECT_FAILED;
    char path[PATH_MAX];

    if (tg_context_index < 0 && tg_policy_locate(NULL, path) == TG_ORIGIN_NONE)
        injected = TG_INJECT_INERT;
    else if (tg_hooked_at(ssl_ctx_new) != NULL)
        injected = inject();
    errno = saved;
    return injected;
}

int tg_inject_set_app_verify(SSL_CTX *ctx, int (*callback)(X509_STORE_CTX *, void *), void *arg)
{
    struct tg_context_state *state = tg_context_state_of(ctx);

    if (state == NULL)
        return 0;
    state->verify = callback;
    state->verify_arg = arg;
    return 1;
}

int tg_inject_set_app_info(SSL *ssl, void (*callback)(const SSL *, int, int))
{
    struct tg_connection_state *state = tg_connection_state_of(ssl);
    const struct tg_hooked *hooked = tg_hooked_of(ssl);

    if (state == NULL || hooked == NULL)
        return 0;
    tg_gate_raise(hooked, ssl);
    state->info = callback;
    return 1;
}

int tg_inject_get_app_info(const SSL *ssl, void (**callback)(const SSL *, int, int))
{
    const struct tg_connection_state *state = tg_connection_state_of(ssl);

    if (state == NULL)
        return 0;
    *callback = state->info;
    return 1;
}

void tg_inject_set_name_source(tg_inject_name_source *names)
{
    tg_peer_set_names(names);
}

void tg_inject_set_stderr(dev_t device, ino_t inode)
{
    tg_log_set_stderr(device, inode);
}

int tg_inject_version(void)
{
    return TG_INJECT_VERSION;
}
