#include "inject.h"
#include "attached.h"
#include "exdata.h"
#include "gate.h"
#include "process.h"
#include "shown.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_bool injected_any;

static enum tg_injected inject(struct tg_cryptolib *library, const struct tg_hooked *hooked)
{
    tg_cryptolib_hook(library);
    if (!tg_exdata_register(library, hooked))
        return TG_INJECT_FAILED;
    if (hooked != NULL) /* the provider sees nothing of stores */
        tg_attached_begin(library);
    atomic_store_explicit(&injected_any, true, memory_order_release);
    return TG_INJECT_HOOKED;
}

static void complain_taken(void)
{
    tg_log_complain(TG_ORIGIN_ENVIRONMENT,
                    "the program took ex_data indexes in its library context (OSSL_LIB_CTX) before "
                    "trustgraft could: what it makes there can't be put under a policy");
}

enum tg_injected tg_inject_libcrypto(const void *libcrypto, const char *policy, const char *problem,
                                     void *context)
{
    enum tg_injected injected = TG_INJECT_FAILED;
    const char *missing = NULL;
    struct tg_cryptolib *library = tg_cryptolib_at(libcrypto, &tg_backend_openssl3, &missing);

    tg_process_configure(policy, problem);
    if (library != NULL)
        injected = inject(library, NULL);
    else
        tg_log_complain(TG_ORIGIN_ENVIRONMENT, "this program's OpenSSL has no %s",
                        missing != NULL ? missing : "place left");
    if (injected == TG_INJECT_HOOKED) {
        /* What can't be claimed there refuses by itself (exdata.c). */
        OSSL_LIB_CTX *current = library->crypto.OSSL_LIB_CTX_set0_default(NULL);

        (void)tg_exdata_claim_in(library, current);
        (void)tg_exdata_claim_in(library, library->crypto.OSSL_LIB_CTX_get0_global_default());
        if (!tg_hooked_prepare(library) && tg_process_has_origin())
            injected = TG_INJECT_FAILED;
        if (!tg_exdata_claim_in(library, context != NULL ? context : current)) {
            complain_taken();
            injected = TG_INJECT_FAILED;
        }
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

static void *find_embedded(const char *name)
{
    const struct tg_symtab *symtab = tg_symtab_program(NULL);

    return symtab != NULL ? tg_symtab_find(symtab, name) : NULL;
}

void tg_inject_embedded(struct tg_inject_embedded *embedded)
{
    const struct tg_symtab *symtab = tg_symtab_program(&embedded->state);

    embedded->kind = symtab != NULL ? tg_symtab_kind(symtab) : TG_SYMTAB_UNPROVEN;
    embedded->find = find_embedded;
}

const char *tg_inject_lacks(tg_has_function *has, const void *from, enum tg_symtab_kind kind,
                            bool libssl)
{
    enum tg_kind as = kind == TG_SYMTAB_OPENSSL_3 ? TG_KIND_OPENSSL_3 : TG_KIND_OPENSSL_1;
    const char *lacking = tg_libssl_lacks(has, from, as);

    return lacking != NULL || libssl ? lacking : tg_libcrypto_lacks(has, from, as);
}

void tg_inject_begin_stores(const void *real)
{
    int saved = errno;
    const char *missing = NULL;
    struct tg_cryptolib *library = NULL;

    /* To look into another libcrypto takes calls that could come before the program's first. */
    if (tg_process_has_origin() &&
        tg_object_identity(real) == tg_object_identity((void *)X509_verify_cert))
        library = tg_cryptolib_native(&missing);
    if (library != NULL)
        tg_attached_begin(library);
    errno = saved;
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
    if (backend->has_own_contexts() && !tg_exdata_lacked_memory(ctx) && !again) {
        claimed = tg_exdata_claim(hooked->library);
        if (claimed)
            shown = TG_INJECT_AGAIN;
        else
            complain_taken();
    } else if (!backend->calls_new_func())
        shown = tg_shown_context(hooked, ctx) ? TG_INJECT_USABLE : TG_INJECT_UNUSABLE;
    else if (tg_exdata_lacked_memory(ctx))
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
