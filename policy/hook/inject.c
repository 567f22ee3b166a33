#include "inject.h"
#include "bound.h"
#include "hook.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

static struct tg_hooked hooked = {.context_index = -1, .connection_index = -1};
static bool indexed; /* our ex_data indexes are registered */
static bool found;   /* hooked.libssl is filled */

const struct tg_hooked *tg_hooked_get(void)
{
    return &hooked;
}

static void use(const struct tg_libssl *libssl)
{
    static pthread_mutex_t filling = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&filling);
    if (!found) {
        hooked.libssl = *libssl;
        __atomic_store_n(&found, true, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&filling);
}

static void complain(const char *missing)
{
    tg_log_complain(TG_ORIGIN_ENVIRONMENT,
                    "this program's libssl can't be put under a policy: %s%s",
                    missing != NULL ? "it has no " : "it works on another libcrypto",
                    missing != NULL ? missing : "");
}

static void find_libssl(void)
{
    const char *missing = NULL;
    struct tg_libssl libssl;

    if (tg_libssl_any(&libssl, &missing))
        use(&libssl);
    else
        complain(missing);
}

bool tg_hooked_ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (!__atomic_load_n(&found, __ATOMIC_ACQUIRE))
        pthread_once(&once, find_libssl);
    return __atomic_load_n(&found, __ATOMIC_ACQUIRE);
}

/* Unassigned by IANA; never on the wire, since tg_gate_hello sends nothing. */
#define EXTENSION 0x7467

static bool hook_context(SSL_CTX *context, CRYPTO_EX_DATA *data, int index)
{
    struct tg_context_state *state = calloc(1, sizeof(*state));

    if (state == NULL || !CRYPTO_set_ex_data(data, index, state)) {
        free(state);
        return false;
    }
    return hooked.libssl.SSL_CTX_add_custom_ext(context, EXTENSION, SSL_EXT_CLIENT_HELLO,
                                                tg_gate_hello, NULL, NULL, NULL, NULL);
}

/* CRYPTO_EX_new of SSL_CTX. */
static void new_context(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                        void *argp)
{
    int saved = errno;

    (void)ptr, (void)argl, (void)argp;
    if (!tg_process_inert() && tg_hooked_ready())
        hooked.libssl.SSL_CTX_set_cert_verify_callback(
            parent, hook_context(parent, data, index) ? tg_hook_verify : tg_hook_refuse, &hooked);
    errno = saved;
}

/* CRYPTO_EX_new of SSL. Without memory the gate still stands, and evaluates once more. */
static void new_connection(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                           void *argp)
{
    struct tg_connection_state *state = NULL;
    int saved = errno;

    (void)ptr, (void)argl, (void)argp;
    if (!tg_process_inert() && tg_hooked_ready()) {
        state = calloc(1, sizeof(*state));
        if (state != NULL && !CRYPTO_set_ex_data(data, index, state))
            free(state);
        hooked.libssl.SSL_set_info_callback(parent, tg_gate);
    }
    errno = saved;
}

/* CRYPTO_EX_dup of SSL, for SSL_dup(3): the copy starts a handshake of its own. */
static int copy_connection(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **from_d, int index,
                           long argl, void *argp)
{
    const struct tg_connection_state *original = *from_d;
    struct tg_connection_state *copy = NULL;

    (void)to, (void)from, (void)index, (void)argl, (void)argp;
    if (original == NULL)
        return 1;
    copy = calloc(1, sizeof(*copy));
    if (copy == NULL)
        return 0;
    copy->info = original->info;
    *from_d = copy;
    return 1;
}

static void free_state(void *parent, void *state, CRYPTO_EX_DATA *data, int index, long argl,
                       void *argp)
{
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    free(state);
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
    hooked.context_index =
        CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, new_context, NULL, free_state);
    hooked.connection_index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, new_connection,
                                                      copy_connection, free_state);
    indexed = hooked.context_index >= 0 && hooked.connection_index >= 0;
    if (!indexed)
        tg_log_complain(TG_ORIGIN_ENVIRONMENT, "OpenSSL refused to be hooked");
}

static enum tg_injected inject(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, register_indexes);
    return indexed ? TG_INJECT_HOOKED : TG_INJECT_FAILED;
}

enum tg_injected tg_inject_libcrypto(const char *policy, const char *problem)
{
    tg_process_configure(policy, problem);
    return inject();
}

enum tg_injected tg_inject_libssl(void *ssl_ctx_new)
{
    const char *missing = NULL;
    struct tg_libssl libssl;
    int saved = errno;
    enum tg_injected injected = TG_INJECT_FAILED;

    if (tg_libssl_at(ssl_ctx_new, &libssl, &missing)) {
        use(&libssl);
        injected = inject();
    } else {
        complain(missing);
    }
    errno = saved;
    return injected;
}

int tg_inject_set_app_verify(SSL_CTX *ctx, int (*callback)(X509_STORE_CTX *, void *), void *arg)
{
    struct tg_context_state *state = NULL;

    if (tg_hooked_ready() && indexed)
        state = hooked.libssl.SSL_CTX_get_ex_data(ctx, hooked.context_index);
    if (state == NULL)
        return 0;
    state->verify = callback;
    state->verify_arg = arg;
    return 1;
}

static struct tg_connection_state *state_of(const SSL *ssl)
{
    if (!tg_hooked_ready() || !indexed)
        return NULL;
    return hooked.libssl.SSL_get_ex_data(ssl, hooked.connection_index);
}

int tg_inject_set_app_info(SSL *ssl, void (*callback)(const SSL *, int, int))
{
    struct tg_connection_state *state = state_of(ssl);

    if (state == NULL)
        return 0;
    state->info = callback;
    return 1;
}

int tg_inject_get_app_info(const SSL *ssl, void (**callback)(const SSL *, int, int))
{
    const struct tg_connection_state *state = state_of(ssl);

    if (state == NULL)
        return 0;
    *callback = state->info;
    return 1;
}

void tg_inject_set_name_source(tg_inject_name_source *names)
{
    tg_peer_set_names(names);
}

int tg_inject_version(void)
{
    return TG_INJECT_VERSION;
}
