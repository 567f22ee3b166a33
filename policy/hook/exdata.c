#include "exdata.h"
#include "bound.h"
#include "gate.h"
#include "given.h"
#include "hook.h"
#include "mark.h"
#include "once.h"
#include "peer.h"
#include "process.h"
#include "turn.h"
#include "verifier.h"
#include "wire.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The last context of this thread that there was no memory for. */
static _Thread_local const SSL_CTX *unkept;

/* Unassigned by IANA; never on the wire, since tg_gate_hello sends nothing. */
#define EXTENSION 0x7467

/* Without memory for what we keep of a context, the context refuses every server. */
static void close_context(const struct tg_hooked *hooked, SSL_CTX *context)
{
    hooked->libssl.SSL_CTX_set_cert_verify_callback(context, tg_hook_refuse, (void *)hooked);
}

static bool keep_context(const struct tg_hooked *hooked, SSL_CTX *context, CRYPTO_EX_DATA *data,
                         int index)
{
    struct tg_context_state *state = tg_context_state_new(context);

    hooked->libssl.SSL_CTX_set_info_callback(context, tg_gate_of(hooked->library));
    if (state == NULL || !hooked->library->crypto.CRYPTO_set_ex_data(data, index, state)) {
        tg_context_state_free(state);
        return false;
    }
    tg_verifier_put(hooked, context, state, tg_hook_verify);
    // cppcheck-suppress memleak ; the context has it
    return hooked->libssl.SSL_CTX_add_custom_ext(context, EXTENSION, SSL_EXT_CLIENT_HELLO,
                                                 tg_gate_hello, NULL, (void *)hooked, NULL, NULL);
}

/* False for an index that was only taken on the way to ours (claim). */
static bool is_ours(int index, int ours)
{
    return ours < 0 || index == ours;
}

/* True for one that was taken where ours was another's already: nothing can be kept there. */
static bool is_past(int index, int ours)
{
    return ours >= 0 && index > ours;
}

/* No callback of the application's own stands before the refusal of a ClientHello. */
static void refuse_context(const struct tg_hooked *hooked, SSL_CTX *context)
{
    (void)hooked->libssl.SSL_CTX_add_custom_ext(context, EXTENSION, SSL_EXT_CLIENT_HELLO,
                                                tg_gate_refuse, NULL, (void *)hooked, NULL, NULL);
    close_context(hooked, context);
}

bool tg_exdata_lacked_memory(const SSL_CTX *context)
{
    return context == unkept;
}

/* CRYPTO_EX_new of SSL_CTX; ARGUMENT is the struct tg_cryptolib. */
static void new_context(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                        void *argument)
{
    const struct tg_cryptolib *library = argument;
    const struct tg_hooked *hooked = NULL;
    int saved = errno;

    (void)ptr, (void)argl;
    if (tg_cryptolib_is_hooked(library) && !tg_process_inert() &&
        (is_ours(index, library->context_index) || is_past(index, library->context_index)))
        hooked = tg_hooked_of_context(library, parent);
    if (hooked != NULL && is_past(index, library->context_index)) {
        refuse_context(hooked, parent);
    } else if (hooked != NULL) {
        bool kept = keep_context(hooked, parent, data, index);

        unkept = kept ? NULL : parent;
        if (!kept)
            close_context(hooked, parent);
    }
    errno = saved;
}

static void add_state(const struct tg_libcrypto *crypto, const struct tg_hooked *hooked,
                      const SSL *ssl, CRYPTO_EX_DATA *data, int index)
{
    struct tg_connection_state *state = tg_connection_state_new(ssl);

    if (state == NULL)
        return;
    state->hooked = hooked;
    if (!crypto->CRYPTO_set_ex_data(data, index, state))
        tg_connection_state_free(state);
}

/*
 * CRYPTO_EX_new of SSL. From OpenSSL 3.2 on the object is all zeros at that moment, and may be an
 * object of QUIC's that is smaller than a connection: only its ex_data may be touched, and the gate
 * of the context stands in until the handshake starts. Before OpenSSL 3.2 the object belongs to its
 * context already.
 * Without memory for our ex_data it is made at the ClientHello.
 */
static void new_connection(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                           void *argument)
{
    const struct tg_cryptolib *library = argument;
    const struct tg_hooked *any = NULL, *hooked = NULL;
    const SSL_CTX *context = NULL;
    int saved = errno;

    (void)ptr, (void)argl;
    if (tg_cryptolib_is_hooked(library) && is_ours(index, library->connection_index) &&
        !tg_process_inert())
        any = tg_hooked_on(library);
    if (any != NULL)
        context = any->libssl.SSL_get_SSL_CTX(parent);
    if (context != NULL)
        hooked = tg_hooked_of_context(library, context);
    if (hooked != NULL)
        hooked->libssl.SSL_set_info_callback(parent, tg_gate_of(library));
    if (any != NULL && (context == NULL || hooked != NULL))
        add_state(&any->library->crypto, hooked, parent, data, index);
    errno = saved;
}

/* CRYPTO_EX_dup of SSL, for SSL_dup(3): the copy starts a handshake of its own. */
static int copy_connection(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **from_d, int index,
                           long argl, void *library)
{
    const struct tg_connection_state *original = tg_connection_state_any(*from_d);
    struct tg_connection_state *copy = NULL;

    (void)from, (void)argl;
    copy = ((struct tg_cryptolib *)library)
               ->crypto.CRYPTO_get_ex_data(to, index); /* of SSL_new, which made the copy */
    copy = tg_connection_state_any(copy);
    if (original == NULL) {
        *from_d = copy;
        return 1;
    }
    if (copy == NULL)
        return 0;
    copy->hooked = original->hooked;
    copy->info = original->info;
    copy->level = original->level;
    *from_d = copy;
    return 1;
}

static void free_context(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                         void *argp)
{
    (void)data, (void)index, (void)argl, (void)argp;
    tg_given_forget(parent);
    tg_context_state_free(tg_context_state_at(ptr, parent));
}

static void free_connection(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                            void *argp)
{
    struct tg_connection_state *state = tg_connection_state_at(ptr, parent);

    (void)data, (void)index, (void)argl, (void)argp;
    if (state == NULL && ptr != NULL) /* of whoever took our place */
        state = tg_connection_state_find(parent);
    if (state != NULL) {
        tg_wire_leave(state);
        tg_connection_state_forget_leaf(state);
        tg_peer_forget(state);
    }
    tg_connection_state_free(state);
}

/* ---- the indexes in each library context ---------------------------------------------------- */

#define ASKED 8U /* beside the TG_CLAIM_*, in the mark of a library context */
#define ALL   (TG_CLAIM_CONTEXT | TG_CLAIM_CONNECTION | TG_CLAIM_BIO)

/* Takes the indexes of KIND up to WANTED, each with these functions. False: that one is another's.
 */
static bool take(struct tg_cryptolib *library, int kind, int wanted, CRYPTO_EX_new *make,
                 CRYPTO_EX_dup *copy, CRYPTO_EX_free *release)
{
    int taken = 0;

    do
        taken = library->crypto.CRYPTO_get_ex_new_index(kind, 0, library, make, copy, release);
    while (taken >= 0 && taken < wanted);
    return taken == wanted;
}

static unsigned take_all(struct tg_cryptolib *library)
{
    unsigned claims = 0;

    if (take(library, CRYPTO_EX_INDEX_SSL_CTX, library->context_index, new_context, NULL,
             free_context))
        claims |= TG_CLAIM_CONTEXT;
    if (take(library, CRYPTO_EX_INDEX_SSL, library->connection_index, new_connection,
             copy_connection, free_connection))
        claims |= TG_CLAIM_CONNECTION;
    /* Where it fails, a BIO that can't be held is stopped (wire.c). */
    if (tg_wire_register(library, &tg_gate_watcher))
        claims |= TG_CLAIM_BIO;
    return claims;
}

/* The claim of struct tg_cryptolib. */
static unsigned claim(struct tg_cryptolib *library)
{
    static tg_turn turn;
    unsigned claims = 0;
    bool taken;

    if (!library->backend->has_own_contexts())
        return ALL;
    taken = tg_turn_take(&turn);
    if (tg_mark_read(library, &claims) && !(claims & ASKED)) {
        claims = take_all(library);
        if (!tg_mark_add(library, claims | ASKED))
            claims = 0;
    }
    tg_turn_give(&turn, taken);
    return claims;
}

bool tg_exdata_claim(struct tg_cryptolib *library)
{
    return claim(library) & TG_CLAIM_CONTEXT;
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
    if (library->backend->has_own_contexts() && !tg_mark_add(library, ASKED | ALL))
        library->connection_index = -1;
    library->claim = claim;
    if (library->context_index < 0 || library->connection_index < 0)
        tg_log_complain(TG_ORIGIN_ENVIRONMENT, "OpenSSL refused to be hooked");
}

/* Once a library. HOOKED as in register_indexes. */
struct registration {
    struct tg_cryptolib *library;
    const struct tg_hooked *hooked;
};

/* The library context of each libcrypto in which its indexes came first. */
static const OSSL_LIB_CTX *first_context[TG_CRYPTOLIBS];

static void register_once(void *arg)
{
    const struct registration *wanted = arg;
    struct tg_cryptolib *library = wanted->library;

    if (library->backend->has_own_contexts())
        first_context[library->number] = library->crypto.OSSL_LIB_CTX_set0_default(NULL);
    register_indexes(library, wanted->hooked);
}

bool tg_exdata_claim_in(struct tg_cryptolib *library, OSSL_LIB_CTX *context)
{
    OSSL_LIB_CTX *former = NULL;
    bool claimed;

    if (context == NULL || context == first_context[library->number])
        return true;
    former = library->crypto.OSSL_LIB_CTX_set0_default(context);
    claimed = (claim(library) & (TG_CLAIM_CONTEXT | TG_CLAIM_CONNECTION)) ==
              (TG_CLAIM_CONTEXT | TG_CLAIM_CONNECTION);
    (void)library->crypto.OSSL_LIB_CTX_set0_default(former);
    return claimed;
}

bool tg_exdata_register(struct tg_cryptolib *library, const struct tg_hooked *hooked)
{
    static pthread_once_t once[TG_CRYPTOLIBS] = {PTHREAD_ONCE_INIT, PTHREAD_ONCE_INIT,
                                                 PTHREAD_ONCE_INIT, PTHREAD_ONCE_INIT};

    tg_once(&once[library->number], register_once, &(struct registration){library, hooked});
    return library->context_index >= 0 && library->connection_index >= 0;
}
