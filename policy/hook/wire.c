/*
 * wire.c - the connection's BIOs, between the ClientHello and the verdict, and after a refusal.
 *
 * An application whose own callbacks have replaced both our verify callback and, after the
 * ClientHello, the gate, still has to verify, read and write: each time, the gate is put back, and
 * a handshake that ended without a verdict is judged before the first byte of application data.
 * After a refusal nothing is read or written for this connection any more.
 *
 * A BIO is the application's: it may be freed before the connection or live on after it, go to
 * another thread or another connection, and be copied. So we hold no reference; what we keep of a
 * BIO hangs on it and on the connection (held.h), and goes with the last of them.
 */
#include "wire.h"
#include "bio.h"
#include "held.h"
#include <errno.h>

#define BUFFER (TG_WIRES - 1) /* of a connection's wires: libssl's own */

/* The one of all connections; set before any BIO of theirs is held. */
static const struct tg_wire_watcher *_Atomic watcher;

static const struct tg_wire_watcher *watching(void)
{
    return atomic_load_explicit(&watcher, memory_order_acquire);
}

/* BIO, whose ex_data is POINTER, is freed. */
static void end(void *pointer, const BIO *bio)
{
    struct tg_wire *wire = tg_held_end(pointer, bio);
    bool entered;

    if (wire == NULL)
        return;
    entered = tg_turn_take(&wire->inside);
    wire->bio = NULL;
    if (wire->buffers && wire->state != NULL)
        watching()->end(wire->hooked, wire->ssl, wire->state);
    tg_turn_give(&wire->inside, entered);
    tg_held_drop(wire);
}

/* ---- the BIO's callback -----------------------------------------------------------------------
 */

static BIO_callback_fn_ex callback_of(const struct tg_cryptolib *library);

/* Takes our callback away from BIO, unless another stands before it by now, which may call it. */
static void restore(const struct tg_cryptolib *library, const struct tg_wire *wire, BIO *bio)
{
    if (library->crypto.BIO_get_callback_ex(bio) == callback_of(library))
        library->crypto.BIO_set_callback_ex(bio, wire->theirs);
}

static bool is_attached(const struct tg_wire *wire, const BIO *bio)
{
    return wire->state != NULL && (wire->hooked->libssl.SSL_get_rbio(wire->ssl) == bio ||
                                   wire->hooked->libssl.SSL_get_wbio(wire->ssl) == bio);
}

/* True if BIO, which is to move data, is to be stopped. The connection may have let go of it: then
 * so do we. */
static bool attend(const struct tg_cryptolib *library, struct tg_wire *wire, BIO *bio)
{
    int saved = errno;

    if (!wire->stopped && is_attached(wire, bio))
        watching()->look(wire->hooked, wire->ssl, wire->state);
    errno = saved;
    if (wire->stopped && (wire->state == NULL || is_attached(wire, bio)))
        return true;
    if (!is_attached(wire, bio))
        restore(library, wire, bio);
    return false;
}

static long stop(const struct tg_libcrypto *crypto, BIO *bio)
{
    crypto->BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
    return -1;
}

/* What the callback that stood there says to WORD. It may be one that calls ours, as may one that
 * the application has put in our place: ours is deaf while it calls. */
static long pass_on(const struct tg_libcrypto *crypto, struct tg_wire *wire, BIO *bio,
                    const struct tg_bio_word *word)
{
    BIO_callback_fn_ex theirs = atomic_load_explicit(&wire->theirs, memory_order_acquire);
    long returned;

    if (theirs == NULL && !tg_bio_has_old(crypto, bio))
        return word->returned;
    atomic_store_explicit(&wire->busy, tg_turn_self(), memory_order_relaxed);
    returned = tg_bio_call(crypto, theirs, bio, word);
    atomic_store_explicit(&wire->busy, 0, memory_order_relaxed);
    return returned;
}

static bool is_deaf(const struct tg_wire *wire)
{
    uint64_t busy = atomic_load_explicit(&wire->busy, memory_order_relaxed);

    return busy != 0 && busy == tg_turn_self();
}

/* Most of what libssl does to a BIO moves nothing. One that there was no memory for is stopped. */
static long overhear(BIO *bio, const struct tg_bio_word *word)
{
    const struct tg_cryptolib *library = tg_cryptolib_number(word->number);
    const struct tg_libcrypto *crypto = &library->crypto;
    void *kept = crypto->BIO_get_ex_data(bio, library->wire_index);
    struct tg_wire *wire = tg_held_at(kept, bio);
    bool entered, stopped = false;
    long returned;

    if (wire == NULL && word->operation == BIO_CB_FREE)
        end(kept, bio);
    if (wire == NULL)
        return tg_bio_is_moving(word->operation) ? stop(crypto, bio) : word->returned;
    if (is_deaf(wire))
        return word->returned;
    if (tg_bio_is_moving(word->operation)) {
        entered = tg_turn_take(&wire->inside);
        stopped = attend(library, wire, bio);
        tg_turn_give(&wire->inside, entered);
    }
    if (stopped)
        return stop(crypto, bio);
    returned = pass_on(crypto, wire, bio, word);
    if (word->operation == BIO_CB_FREE && returned > 0 &&
        crypto->BIO_set_ex_data(bio, library->wire_index, NULL))
        end(wire, bio);
    return returned;
}

#define OVERHEAR(number)                                                                           \
    static long overhear_##number(BIO *bio, int operation, const char *data, size_t length,        \
                                  int argument, long more, int returned, size_t *moved)            \
    {                                                                                              \
        const struct tg_bio_word word = {number, operation, argument, data,                        \
                                         length, more,      returned, moved};                      \
                                                                                                   \
        return overhear(bio, &word);                                                               \
    }
OVERHEAR(0)
OVERHEAR(1)
OVERHEAR(2)
OVERHEAR(3)

static BIO_callback_fn_ex callback_of(const struct tg_cryptolib *library)
{
    static const BIO_callback_fn_ex callbacks[TG_CRYPTOLIBS] = {overhear_0, overhear_1, overhear_2,
                                                                overhear_3};

    return callbacks[library->number];
}

/* ---- what libcrypto tells of its objects ------------------------------------------------------
 */

/* CRYPTO_EX_free of BIO. */
static void free_wire(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                      void *argument)
{
    (void)data, (void)index, (void)argl, (void)argument;
    end(ptr, parent);
}

/* CRYPTO_EX_dup of BIO: the copy (BIO_dup_chain(3)) has our callback, and gives it back as soon
 * as it is used. */
static int copy_wire(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **from_d, int index,
                     long argl, void *argument)
{
    void *original = *from_d;

    (void)to, (void)from, (void)index, (void)argl, (void)argument;
    *from_d = tg_held_copy(original);
    return original == NULL || *from_d != NULL;
}

/*
 * CRYPTO_EX_free of X509_STORE_CTX, the end of each verification of certificates, whichever
 * callback of whomever has made it.
 */
static void end_verification(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                             void *argument)
{
    const struct tg_cryptolib *library = argument;
    const struct tg_hooked *hooked = NULL;

    (void)ptr, (void)data, (void)argl;
    if (index != library->verification_index)
        return;
    while ((hooked = tg_hooked_next(library, hooked)) != NULL) {
        SSL *ssl = library->crypto.X509_STORE_CTX_get_ex_data(
            parent, hooked->libssl.SSL_get_ex_data_X509_STORE_CTX_idx());
        struct tg_connection_state *state = NULL;

        if (tg_connection_state_find(ssl) == NULL || hooked->libssl.SSL_is_server(ssl))
            continue;
        (void)watching()->restore(hooked, ssl);
        state = tg_connection_state_of(hooked, ssl);
        if (state != NULL && (state->wires[0] != NULL || state->wires[1] != NULL))
            tg_wire_watch(hooked, ssl, state, true);
    }
}

/* Takes indexes of KIND up to *OURS, or the one that becomes it. False: that one is another's. */
static bool take(struct tg_cryptolib *library, int kind, int *ours, CRYPTO_EX_dup *copy,
                 CRYPTO_EX_free *release)
{
    int taken = 0;

    do
        taken = library->crypto.CRYPTO_get_ex_new_index(kind, 0, library, NULL, copy, release);
    while (taken >= 0 && taken < *ours);
    if (*ours < 0)
        *ours = taken;
    return *ours >= 0 && *ours == taken;
}

bool tg_wire_register(struct tg_cryptolib *library, const struct tg_wire_watcher *given)
{
    atomic_store_explicit(&watcher, given, memory_order_release);
    return take(library, CRYPTO_EX_INDEX_BIO, &library->wire_index, copy_wire, free_wire) &&
           take(library, CRYPTO_EX_INDEX_X509_STORE_CTX, &library->verification_index, NULL,
                end_verification);
}

/* ---- what the gate asks for -------------------------------------------------------------------
 */

/* Puts our callback on BIO; it is the newest connection that counts. STATE may be NULL. */
static void hold(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state,
                 size_t slot, BIO *bio, bool stopped)
{
    struct tg_cryptolib *library = hooked->library;
    BIO_callback_fn_ex theirs = library->crypto.BIO_get_callback_ex(bio);
    struct tg_wire *wire = tg_held_make(library, bio);
    bool entered;

    if (wire != NULL) {
        entered = tg_turn_take(&wire->inside);
        if (theirs != callback_of(library))
            atomic_store_explicit(&wire->theirs, theirs, memory_order_release);
        wire->bio = bio;
        wire->hooked = hooked;
        wire->state = state;
        wire->ssl = ssl;
        wire->stopped = stopped;
        tg_turn_give(&wire->inside, entered);
    }
    if (wire != NULL && state != NULL) {
        tg_held_keep(wire);
        state->wires[slot] = wire;
    }
    library->crypto.BIO_set_callback_ex(bio, callback_of(library));
}

/* Where SSL writes to; while libssl frees its buffer, it doesn't show that. */
static BIO *out_of(const struct tg_hooked *hooked, SSL *ssl,
                   const struct tg_connection_state *state)
{
    BIO *out = hooked->libssl.SSL_get_wbio(ssl);

    if (out == NULL && state != NULL && state->wires[1] != NULL)
        out = state->wires[1]->bio;
    return out;
}

static void hold_both(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state,
                      BIO *out, bool stopped)
{
    BIO *in = hooked->libssl.SSL_get_rbio(ssl);

    if (in != NULL)
        hold(hooked, ssl, state, 0, in, stopped);
    if (out != NULL && out != in)
        hold(hooked, ssl, state, 1, out, stopped);
}

/* True for a connection that was refused and begins a handshake once more within it. */
static bool is_refused(const struct tg_hooked *hooked, const SSL *ssl,
                       const struct tg_connection_state *state)
{
    for (size_t i = 0; i < TG_WIRES; i++)
        if (state->wires[i] != NULL && state->wires[i]->stopped)
            return hooked->libssl.SSL_get_finished(ssl, NULL, 0) > 0;
    return false;
}

/* The first COUNT of them. */
static void leave(struct tg_connection_state *state, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct tg_wire *wire = state->wires[i];
        bool entered;

        if (wire == NULL)
            continue;
        state->wires[i] = NULL;
        entered = tg_turn_take(&wire->inside);
        if (wire->state == state) {
            if (wire->bio != NULL && !wire->buffers)
                restore(wire->hooked->library, wire, wire->bio);
            wire->state = NULL;
            wire->ssl = NULL;
            wire->stopped = false;
        }
        tg_turn_give(&wire->inside, entered);
        tg_held_drop(wire);
    }
}

void tg_wire_leave(struct tg_connection_state *state)
{
    leave(state, TG_WIRES);
}

void tg_wire_watch(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state,
                   bool wanted)
{
    if (!hooked->library->backend->has_bio_callbacks() || is_refused(hooked, ssl, state))
        return;
    leave(state, wanted ? BUFFER : TG_WIRES);
    if (wanted)
        hold_both(hooked, ssl, state, hooked->libssl.SSL_get_wbio(ssl), false);
}

bool tg_wire_await_end(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    enum { QUIC = 1 }; /* OSSL_QUIC1_VERSION: its connections have no such buffer to be found */
    BIO *out = hooked->libssl.SSL_get_wbio(ssl), *buffer = NULL;
    struct tg_wire *wire = state->wires[BUFFER];

    if (wire != NULL && wire->bio == NULL) { /* of a handshake that came to nothing */
        state->wires[BUFFER] = NULL;
        tg_held_drop(wire);
    }
    if ((state->wires[0] == NULL && state->wires[1] == NULL) || state->wires[BUFFER] != NULL ||
        out == NULL || hooked->libssl.SSL_version(ssl) == QUIC)
        return true;
    if (!tg_bio_buffer(hooked, ssl, out, &buffer))
        return false;
    if (buffer == NULL)
        return true;
    wire = tg_held_make(hooked->library, buffer);
    if (wire == NULL)
        return false;
    wire->bio = buffer;
    wire->hooked = hooked;
    wire->state = state;
    wire->ssl = ssl;
    wire->buffers = true;
    tg_held_keep(wire);
    state->wires[BUFFER] = wire;
    return true;
}

void tg_wire_stop(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    BIO *out = NULL;

    if (!hooked->library->backend->has_bio_callbacks())
        return;
    out = out_of(hooked, ssl, state);
    if (state != NULL)
        tg_wire_leave(state);
    hold_both(hooked, ssl, state, out, true);
}
