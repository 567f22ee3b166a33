#include "inject.h"
#include "bound.h"
#include "gate.h"
#include "given.h"
#include "hook.h"
#include "once.h"
#include "peer.h"
#include "process.h"
#include "shown.h"
#include "wire.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* True once a library is hooked, and which: a library may have our ex_data without being hooked
 * (callback.c). */
static atomic_bool injected_any, injected_in[TG_CRYPTOLIBS];

/* The last context of this thread that there was no memory for. */
static _Thread_local const SSL_CTX *unkept;

/* Unassigned by IANA; never on the wire, since tg_gate_hello sends nothing. */
#define EXTENSION 0x7467

/* Without memory for what we keep of a context, the context refuses every server. */
static void hook_context(const struct tg_hooked *hooked, SSL_CTX *context, bool whole)
{
    hooked->libssl.SSL_CTX_set_cert_verify_callback(
        context, whole ? tg_hook_verify : tg_hook_refuse, (void *)hooked);
}

static bool keep_context(const struct tg_hooked *hooked, SSL_CTX *context, CRYPTO_EX_DATA *data,
                         int index)
{
    struct tg_context_state *state = calloc(1, sizeof(*state));

    hooked->libssl.SSL_CTX_set_info_callback(context, tg_gate_of(hooked->library));
    if (state == NULL || !hooked->library->crypto.CRYPTO_set_ex_data(data, index, state)) {
        free(state);
        return false;
    }
    // cppcheck-suppress memleak ; the context has it
    return hooked->libssl.SSL_CTX_add_custom_ext(context, EXTENSION, SSL_EXT_CLIENT_HELLO,
                                                 tg_gate_hello, NULL, (void *)hooked, NULL, NULL);
}

/* False for an index that was only taken on the way to ours (claim). */
static bool is_ours(int index, int ours)
{
    return ours < 0 || index == ours;
}

static bool is_injected(const struct tg_cryptolib *library)
{
    return atomic_load_explicit(&injected_in[library->number], memory_order_acquire);
}

/* CRYPTO_EX_new of SSL_CTX; ARGUMENT is the struct tg_cryptolib. */
static void new_context(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                        void *argument)
{
    const struct tg_cryptolib *library = argument;
    const struct tg_hooked *hooked = NULL;
    int saved = errno;

    (void)ptr, (void)argl;
    if (is_injected(library) && is_ours(index, library->context_index) && !tg_process_inert())
        hooked = tg_hooked_of_context(library, parent);
    if (hooked != NULL) {
        bool kept = keep_context(hooked, parent, data, index);

        unkept = kept ? NULL : parent;
        hook_context(hooked, parent, kept);
    }
    errno = saved;
}

static void add_state(const struct tg_libcrypto *crypto, const struct tg_hooked *hooked,
                      CRYPTO_EX_DATA *data, int index)
{
    struct tg_connection_state *state = calloc(1, sizeof(*state));

    if (state == NULL)
        return;
    state->hooked = hooked;
    if (!crypto->CRYPTO_set_ex_data(data, index, state))
        free(state);
}

/*
 * CRYPTO_EX_new of SSL. From OpenSSL 3.2 on the object is all zeros at that moment, and may be an
 * object of QUIC's that is smaller than a connection: only its ex_data may be touched, and the gate
 * of the context stands in until the handshake starts. Before OpenSSL 3.2 the object belongs to its
 * context already.
 * Without memory for our ex_data the gate evaluates once more.
 */
static void new_connection(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                           void *argument)
{
    const struct tg_cryptolib *library = argument;
    const struct tg_hooked *any = NULL, *hooked = NULL;
    const SSL_CTX *context = NULL;
    int saved = errno;

    (void)ptr, (void)argl;
    if (is_injected(library) && is_ours(index, library->connection_index) && !tg_process_inert())
        any = tg_hooked_on(library);
    if (any != NULL)
        context = any->libssl.SSL_get_SSL_CTX(parent);
    if (context != NULL)
        hooked = tg_hooked_of_context(library, context);
    if (hooked != NULL)
        hooked->libssl.SSL_set_info_callback(parent, tg_gate_of(library));
    if (any != NULL && (context == NULL || hooked != NULL))
        add_state(&any->library->crypto, hooked, data, index);
    errno = saved;
}

/* CRYPTO_EX_dup of SSL, for SSL_dup(3): the copy starts a handshake of its own. */
static int copy_connection(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **from_d, int index,
                           long argl, void *library)
{
    const struct tg_connection_state *original = *from_d;
    struct tg_connection_state *copy = NULL;

    (void)from, (void)argl;
    copy = ((struct tg_cryptolib *)library)
               ->crypto.CRYPTO_get_ex_data(to, index); /* of SSL_new, which made the copy */
    if (original == NULL) {
        *from_d = copy;
        return 1;
    }
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
    (void)data, (void)index, (void)argl, (void)argp;
    tg_given_forget(parent);
    free(state);
}

static void free_connection(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                            void *argp)
{
    struct tg_connection_state *state = ptr;

    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    if (state != NULL) {
        tg_wire_leave(state);
        tg_connection_state_forget_leaf(state);
        tg_peer_forget(state);
    }
    free(state);
}

/* HOOKED is NULL where the library is hooked before any libssl of it is known. */
static void register_indexes(struct tg_cryptolib *library, const struct tg_hooked *hooked)
{
    const char *astray = tg_bound_astray();

    if (astray != NULL) {
        tg_log_complain(TG_ORIGIN_ENVIRONMENT,
                        "%s comes from another libcrypto than the rest: this program's OpenSSL "
                        "can't be put under a policy",
                        astray);
        return;
    }
    library->context_index =
        library->backend->context_index(library, hooked, new_context, free_context);
    if (!library->backend->has_bio_callbacks() || tg_wire_register(library, &tg_gate_watcher))
        library->connection_index = library->backend->connection_index(
            library, hooked, new_connection, copy_connection, free_connection);
    if (library->context_index < 0 || library->connection_index < 0)
        tg_log_complain(TG_ORIGIN_ENVIRONMENT, "OpenSSL refused to be hooked");
}

/* Takes the indexes of KIND up to WANTED, each with these functions. */
static void claim(struct tg_cryptolib *library, int kind, int wanted, CRYPTO_EX_new *make,
                  CRYPTO_EX_dup *copy, CRYPTO_EX_free *release)
{
    int taken = 0;

    while (taken >= 0 && taken < wanted)
        taken = library->crypto.CRYPTO_get_ex_new_index(kind, 0, library, make, copy, release);
}

/*
 * Since OpenSSL 3.0 ex_data belongs to the library context that is the thread's default then
 * (OSSL_LIB_CTX_set0_default(3)): in a library context of the application's own, our indexes are
 * still to be taken, and must be the same.
 */
static void claim_all(struct tg_cryptolib *library)
{
    claim(library, CRYPTO_EX_INDEX_SSL_CTX, library->context_index, new_context, NULL,
          free_context);
    claim(library, CRYPTO_EX_INDEX_SSL, library->connection_index, new_connection, copy_connection,
          free_connection);
    /* Where it fails, a BIO that can't be held is stopped (wire.c). */
    if (!tg_wire_register(library, &tg_gate_watcher))
        return;
}

/* Once a library. HOOKED as in register_indexes. */
struct registration {
    struct tg_cryptolib *library;
    const struct tg_hooked *hooked;
};

/* The library context in which the indexes of the libcrypto that we are bound to came first. */
static const OSSL_LIB_CTX *first_context;

static void register_once(void *arg)
{
    const struct registration *wanted = arg;

    if (!wanted->library->foreign)
        first_context = OSSL_LIB_CTX_set0_default(NULL);
    register_indexes(wanted->library, wanted->hooked);
}

/* CONTEXT is NULL or that of the thread, of the process, or of a provider. */
static void claim_in(struct tg_cryptolib *library, OSSL_LIB_CTX *context)
{
    OSSL_LIB_CTX *former = NULL;

    if (context == NULL || context == first_context)
        return;
    former = OSSL_LIB_CTX_set0_default(context);
    claim_all(library);
    (void)OSSL_LIB_CTX_set0_default(former);
}

/* Our ex_data in LIBRARY. */
static bool enter(struct tg_cryptolib *library, const struct tg_hooked *hooked)
{
    static pthread_once_t once[TG_CRYPTOLIBS] = {PTHREAD_ONCE_INIT, PTHREAD_ONCE_INIT,
                                                 PTHREAD_ONCE_INIT, PTHREAD_ONCE_INIT};

    tg_once(&once[library->number], register_once, &(struct registration){library, hooked});
    return library->context_index >= 0 && library->connection_index >= 0;
}

bool tg_inject_given(const struct tg_hooked *hooked)
{
    return enter(hooked->library, hooked);
}

static enum tg_injected inject(struct tg_cryptolib *library, const struct tg_hooked *hooked)
{
    atomic_store_explicit(&injected_in[library->number], true, memory_order_release);
    if (!enter(library, hooked))
        return TG_INJECT_FAILED;
    atomic_store_explicit(&injected_any, true, memory_order_release);
    return TG_INJECT_HOOKED;
}

enum tg_injected tg_inject_libcrypto(const char *policy, const char *problem, void *context)
{
    enum tg_injected injected = TG_INJECT_FAILED;
    const char *missing = NULL;
    struct tg_cryptolib *library = tg_cryptolib_native(&missing);

    tg_process_configure(policy, problem);
    if (library != NULL)
        injected = inject(library, NULL);
    else
        tg_log_complain(TG_ORIGIN_ENVIRONMENT, "this program's OpenSSL has no %s",
                        missing != NULL ? missing : "place left");
    if (injected == TG_INJECT_HOOKED) {
        claim_in(library, OSSL_LIB_CTX_set0_default(NULL));
        claim_in(library, OSSL_LIB_CTX_get0_global_default());
        claim_in(library, context);
        tg_hooked_prepare();
    }
    return injected;
}

/* A libssl that can't be hooked may go its way only where there is nothing to enforce. */
enum tg_injected tg_inject_libssl(void *ssl_ctx_new)
{
    int saved = errno;
    enum tg_injected injected = TG_INJECT_FAILED;
    const struct tg_hooked *hooked = NULL;

    if (!atomic_load_explicit(&injected_any, memory_order_acquire) && !tg_process_has_origin())
        injected = TG_INJECT_INERT;
    else if ((hooked = tg_hooked_at(ssl_ctx_new)) != NULL)
        injected = inject(hooked->library, hooked);
    errno = saved;
    return injected;
}

/* ---- what the preload shows ---------------------------------------------------------------- */

/*
 * A context that no new_func was called for was made under another library context; if the next one
 * has none either, it belongs to another libcrypto than its libssl names.
 */
enum tg_inject_shown tg_inject_context(void *ssl_ctx_new, SSL_CTX *ctx)
{
    static _Thread_local bool claimed;
    const struct tg_hooked *hooked = tg_hooked_known(ssl_ctx_new);
    const struct tg_backend *backend = NULL;
    enum tg_inject_shown shown = TG_INJECT_UNUSABLE;
    int saved = errno;
    bool again = claimed;

    claimed = false;
    if (hooked == NULL || tg_process_inert() || tg_context_state_of(hooked, ctx) != NULL)
        return TG_INJECT_USABLE;
    backend = hooked->library->backend;
    if (backend->has_own_contexts() && ctx != unkept && !again) {
        claim_all(hooked->library);
        claimed = true;
        shown = TG_INJECT_AGAIN;
    } else if (!backend->calls_new_func())
        shown = tg_shown_context(hooked, ctx) ? TG_INJECT_USABLE : TG_INJECT_UNUSABLE;
    else if (ctx == unkept)
        tg_log_complain(TG_ORIGIN_ENVIRONMENT, "no memory to put a context of this program under "
                                               "a policy: it is not used");
    else
        tg_log_complain(TG_ORIGIN_ENVIRONMENT,
                        "this program's libssl works on another libcrypto than it is linked to: "
                        "its context can't be put under a policy, and is not used");
    errno = saved;
    return shown;
}

bool tg_inject_connection(void *ssl_ctx_new, SSL *ssl)
{
    const struct tg_hooked *hooked = tg_hooked_known(ssl_ctx_new);

    if (hooked == NULL || tg_process_inert())
        return true;
    if (!hooked->library->backend->calls_new_func())
        return tg_shown_connection(hooked, ssl);
    if (tg_connection_state_of(hooked, ssl) != NULL)
        tg_gate_raise(hooked, ssl);
    return true;
}
