/*
 * held.h - what is kept of a BIO: it hangs on that (its ex_data) and on the connection, and goes
 * with the last of them. In another library context our index may be another's: what stands there
 * is looked at only once it is known to be ours.
 */
#ifndef TG_HELD_H
#define TG_HELD_H

#include "state.h"
#include "turn.h"

struct tg_wire {
    tg_turn inside;        /* the connection may be freed in one thread and the BIO in another */
    atomic_int references; /* of the BIO, and of connections */
    BIO *bio;              /* NULL: it is gone */
    const struct tg_hooked *hooked;
    struct tg_connection_state *state; /* of the connection, with SSL; NULL: let go of */
    SSL *ssl;
    _Atomic BIO_callback_fn_ex theirs; /* the callback that stood there */
    _Atomic uint64_t busy;             /* who is calling that callback; 0: nobody */
    bool stopped;                      /* the connection was refused; without a STATE for good */
    bool buffers;                      /* it is libssl's own, which ends with the handshake */
};

/* One more connection, or one less, has WIRE. */
void tg_held_keep(struct tg_wire *wire);
void tg_held_drop(struct tg_wire *wire);

/* What is kept of BIO, whose ex_data is POINTER, which may be any; NULL: nothing. */
struct tg_wire *tg_held_at(void *pointer, const BIO *bio);

/* The same, made where there is none; NULL: no memory, or, after a complaint, the place is
 * another's. */
TG_MUST_USE struct tg_wire *tg_held_make(struct tg_cryptolib *library, BIO *bio);

/* Begins it for a copy of the BIO that POINTER, which may be any, is kept of: it is the copy's
 * ex_data from here on. POINTER, if it isn't ours; NULL: no memory. */
TG_MUST_USE void *tg_held_copy(void *pointer);

/* BIO is freed: the wire that was kept of it, which has it no more; NULL: none. To be dropped. */
TG_MUST_USE struct tg_wire *tg_held_end(void *pointer, const BIO *bio);

#endif
