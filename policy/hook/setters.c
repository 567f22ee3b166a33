/* setters.c - what the preload sees an application set: remembered, while ours stay in place; and
 * what it does with its stores, and asks of errors. */
#include "arrival.h"
#include "attached.h"
#include "gate.h"
#include "hook.h"
#include "inject.h"
#include "log.h"
#include "peer.h"
#include "policy.h"
#include "process.h"
#include "queue.h"
#include "reason.h"
#include <stdlib.h>

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
    struct tg_connection_state *state = NULL;
    const struct tg_hooked *hooked = tg_hooked_of(tg_cryptolib_number(number), ssl, &state);

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

/* ---- its stores -------------------------------------------------------------------------------
 */

/* The libcrypto that REAL belongs to; NULL: one whose stores are left alone. */
static const struct tg_storelib *lib_of(void *real)
{
    struct tg_cryptolib *library = tg_cryptolib_known(real);

    return library != NULL ? tg_storelib_of(library) : NULL;
}

static bool is_wanted(void)
{
    int cancel;
    const struct tg_process *process = tg_process_enter(&cancel);
    bool wanted = process->policy != NULL && process->policy->lazy_anchors;

    tg_process_leave(process, cancel);
    return wanted;
}

static size_t attach(const struct tg_storelib *lib, X509_STORE *store, const char *file)
{
    return lib != NULL && is_wanted() ? tg_attached_load(lib, store, file) : 0;
}

static bool load(void *real, X509_STORE *store, const char *file)
{
    return attach(lib_of(real), store, file) > 0;
}

/* As X509_LOOKUP_file(3) has it. */
static const char *default_file(const struct tg_storelib *lib)
{
    const char *chosen = secure_getenv(lib->X509_get_default_cert_file_env());

    return chosen != NULL ? chosen : lib->X509_get_default_cert_file();
}

static bool control(void *real, X509_LOOKUP *lookup, int command, const char *file, long type)
{
    const struct tg_storelib *lib = lib_of(real);

    if (lib == NULL || command != X509_L_FILE_LOAD || lookup == NULL ||
        !tg_attached_is_files(lib, lookup) ||
        (type != X509_FILETYPE_PEM && type != X509_FILETYPE_DEFAULT))
        return false;
    if (type == X509_FILETYPE_DEFAULT)
        file = default_file(lib);
    return attach(lib, lib->X509_LOOKUP_get_store(lookup), file) > 0;
}

static int load_lookup(void *real, X509_LOOKUP *lookup, const char *file, int type)
{
    const struct tg_storelib *lib = lib_of(real);

    if (lib == NULL || lookup == NULL || type != X509_FILETYPE_PEM)
        return 0;
    return (int)attach(lib, lib->X509_LOOKUP_get_store(lookup), file);
}

/* What X509_STORE_set_default_paths(3) does besides: false, where there is no memory. */
static bool add_default_places(const struct tg_storelib *lib, X509_STORE *store)
{
    X509_LOOKUP *lookup = lib->X509_STORE_add_lookup(store, lib->X509_LOOKUP_hash_dir());

    if (lookup == NULL)
        return false;
    (void)lib->X509_LOOKUP_ctrl(lookup, X509_L_ADD_DIR, NULL, X509_FILETYPE_DEFAULT, NULL);
    if (lib->X509_LOOKUP_store == NULL)
        return true;
    lookup = lib->X509_STORE_add_lookup(store, lib->X509_LOOKUP_store());
    if (lookup == NULL)
        return false;
    (void)lib->X509_LOOKUP_ctrl_ex(lookup, X509_L_ADD_STORE, NULL, 0, NULL, NULL, NULL);
    return true;
}

static bool load_default(void *real, X509_STORE *store, int *result)
{
    const struct tg_storelib *lib = lib_of(real);

    if (lib == NULL || attach(lib, store, default_file(lib)) == 0)
        return false;
    *result = add_default_places(lib, store);
    if (*result)
        lib->ERR_clear_error();
    return true;
}

static bool add(void *real, X509_STORE *store, X509 *certificate, int *result)
{
    const struct tg_storelib *lib = lib_of(real);

    if (lib == NULL || store == NULL)
        return false;
    *result = tg_attached_add(lib, store, certificate);
    return true;
}

static void add_lookup(void *real, X509_STORE *store, const X509_LOOKUP_METHOD *method,
                       X509_LOOKUP *lookup)
{
    const struct tg_storelib *lib = lib_of(real);

    if (lib != NULL && lookup != NULL && method == lib->X509_LOOKUP_file())
        tg_attached_note_files(lib, store, lookup);
}

static bool look(void *real, X509_STORE *store)
{
    const struct tg_storelib *lib = lib_of(real);

    return lib == NULL || tg_attached_bring(lib, store);
}

static bool look_up(void *real, const X509_LOOKUP *lookup)
{
    const struct tg_storelib *lib = lib_of(real);

    return lib == NULL || lookup == NULL ||
           tg_attached_end(lib, lib->X509_LOOKUP_get_store(lookup));
}

static bool reveal(void *real, X509_STORE *store)
{
    const struct tg_storelib *lib = lib_of(real);

    return lib == NULL || tg_attached_end(lib, store);
}

static bool look_context(void *real, const X509_STORE_CTX *context)
{
    const struct tg_storelib *lib = lib_of(real);

    return lib == NULL || tg_attached_bring(lib, lib->X509_STORE_CTX_get0_store(context));
}

static bool look_name(void *real, const X509_STORE_CTX *context, const X509_NAME *name)
{
    const struct tg_storelib *lib = lib_of(real);

    return lib == NULL ||
           tg_attached_bring_name(lib, lib->X509_STORE_CTX_get0_store(context), name);
}

static bool look_issuer(void *real, const X509_STORE_CTX *context, const X509 *certificate)
{
    const struct tg_storelib *lib = lib_of(real);

    return lib == NULL || tg_attached_bring_name(lib, lib->X509_STORE_CTX_get0_store(context),
                                                 lib->X509_get_issuer_name(certificate));
}

static void use(void *real, X509_STORE *store)
{
    const struct tg_storelib *lib = lib_of(real);

    if (lib != NULL)
        tg_attached_use(lib, store);
}

static X509_STORE_CTX_get_issuer_fn show_get_issuer(void *real, X509_STORE_CTX_get_issuer_fn found)
{
    const struct tg_storelib *lib = lib_of(real);

    return lib != NULL ? tg_attached_get_issuer_shown(lib, found) : found;
}

static X509_STORE_CTX_lookup_certs_fn show_lookup_certs(void *real,
                                                        X509_STORE_CTX_lookup_certs_fn found)
{
    const struct tg_storelib *lib = lib_of(real);

    return lib != NULL ? tg_attached_lookup_certs_shown(lib, found) : found;
}

const struct tg_inject_stores *tg_inject_stores(void)
{
    static const struct tg_inject_stores stores = {
        .load = load,
        .control = control,
        .load_lookup = load_lookup,
        .load_default = load_default,
        .add = add,
        .add_lookup = add_lookup,
        .look = look,
        .look_up = look_up,
        .reveal = reveal,
        .look_context = look_context,
        .look_name = look_name,
        .look_issuer = look_issuer,
        .use = use,
        .show_get_issuer = show_get_issuer,
        .show_lookup_certs = show_lookup_certs,
    };

    return &stores;
}

/* ---- what it is told of errors -------------------------------------------------------------- */

static void result(void *ssl_ctx_new, const SSL *ssl, long code)
{
    const struct tg_hooked *hooked = tg_hooked_known(ssl_ctx_new);
    const struct tg_connection_state *state =
        hooked != NULL ? tg_connection_state_of(hooked, ssl) : NULL;

    tg_reason_point(TG_REASON_X509, state != NULL ? state->reason : NULL, code, true);
}

const struct tg_inject_reasons *tg_inject_reasons(void)
{
    static const struct tg_inject_reasons reasons = {
        .result = result,
        .verification = tg_reason_verification,
        .error = tg_reason_error,
        .gnutls = tg_reason_gnutls,
        .take = tg_reason_take,
        .read = tg_reason_read,
        .other = tg_reason_unpoint,
        .asked = tg_queue_mend,
        .status = tg_reason_status,
        .nspr = tg_reason_nspr,
    };

    return &reasons;
}

/* ---- what the process is -------------------------------------------------------------------- */

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
