/*
 * state.h - what the hook keeps of a context and of a connection, in an ex_data of its own. All
 * other modules stand on this one, and it on none of them. A state lives as long as its SSL_CTX or
 * SSL, and is used as that may be: by one thread at a time.
 */
#ifndef TG_STATE_H
#define TG_STATE_H

#include "hash.h"
#include "places.h"
#include "seat.h"
#include "view.h"
#include <stdatomic.h>
#include <time.h>

/* Our ex_data of an SSL_CTX: what the application set and we stand in for. */
struct tg_context_state {
    struct tg_seated ours; /* the verify callback, which has its place at */
    size_t seat;           /* (seat.h); 0: unknown */
    int (*verify)(X509_STORE_CTX *, void *);
    void *verify_arg;
    tg_custom_callback *custom; /* BoringSSL alone */
    _Atomic uint64_t serial;    /* of no other context in this process (accepted.c); 0: none yet */
};

struct tg_peer;    /* peer.h */
struct tg_wire;    /* what is kept of a BIO: wire.c */
#define TG_WIRES 3 /* to read from, to write to, and the buffer before that */

/* What an info callback is told (SSL_CTX_set_info_callback(3)); of none, where is 0. */
struct tg_event {
    int where, value;
};

/* A security level that a rule has put in the place of the connection's own. */
struct tg_lent_level {
    bool lent;
    int own, rule;
};

/* A leaf that was accepted (accepted.c), by a digest of all that its verdict depends on. */
struct tg_admitted {
    uint8_t key[TG_SHA256_SIZE];
    time_t until; /* 0: for ever */
};
#define TG_ADMITTED 2 /* as many policies as a connection can be under */

/* Our ex_data of an SSL. */
struct tg_connection_state {
    const struct tg_hooked *hooked; /* NULL until tg_hooked_of was asked */
    tg_info_callback *info; /* the application's own, set on the connection (preload only) */
    struct tg_event told;   /* what that callback is told of now */
    bool started;           /* the gate saw this handshake start */
    bool judged;            /* there is a verdict on this handshake */
    bool refused;           /* which refuses, though the handshake went on */
    bool forced;            /* to verify, for a refusal: the application doesn't */
    bool dropped;           /* of this handshake: a session that could carry early data */
    bool ticketless;        /* of this handshake: its session's ticket isn't sent */
    bool asking;            /* the application's own callback is to be asked again, not we */
    struct tg_lent_level level;
    const char *reason;         /* why it was refused, as tg_reason_now gave it; or NULL */
    const SSL_SESSION *offered; /* in this handshake (offer.c); only ever compared */
    struct tg_admitted admitted[TG_ADMITTED]; /* that sessions were offered on */
    uint8_t random[TG_INJECT_RANDOM_SIZE];    /* of the last ClientHello */
    struct tg_peer *peer;                     /* as it was told once (peer.c); NULL: not yet */
    X509 *pristine;             /* the leaf as it came, where an alias was added; owned */
    tg_custom_callback *custom; /* the application's own (BoringSSL) */
    struct tg_wire *wires[TG_WIRES];
};

/*
 * Our ex_data; NULL where there is none. The number of our index may be another's in another
 * library context (exdata.h): what stands there is looked at only once it is known to be ours.
 */
struct tg_context_state *tg_context_state_of(const struct tg_hooked *hooked,
                                             const SSL_CTX *context);
struct tg_connection_state *tg_connection_state_of(const struct tg_hooked *hooked, const SSL *ssl);

/* POINTER, which may be any, if it is the state of CONTEXT or SSL; else NULL. */
struct tg_context_state *tg_context_state_at(void *pointer, const SSL_CTX *context);
struct tg_connection_state *tg_connection_state_at(void *pointer, const SSL *ssl);

/* The same of whichever connection. */
struct tg_connection_state *tg_connection_state_any(void *pointer);

/* The state of SSL, which may be anything at all; NULL: none. Looks at each that there is. */
struct tg_connection_state *tg_connection_state_find(const void *ssl);

/* All zeros, not set on CONTEXT or SSL yet; NULL: no memory. Each is freed by its own. */
TG_MUST_USE struct tg_context_state *tg_context_state_new(const SSL_CTX *context);
TG_MUST_USE struct tg_connection_state *tg_connection_state_new(const SSL *ssl);
void tg_context_state_free(struct tg_context_state *state);
void tg_connection_state_free(struct tg_connection_state *state);

/* Our ex_data of SSL, made where there is none; NULL: no memory, or the place is another's. */
TG_MUST_USE struct tg_connection_state *tg_connection_state_make(const struct tg_hooked *hooked,
                                                                 SSL *ssl);

/* Lets go of the leaf that was kept for a verification that is made once more. */
void tg_connection_state_forget_leaf(struct tg_connection_state *state);

/* The libssl on LIBRARY that SSL belongs to, NULL if it can't be hooked; *STATE is our ex_data. */
const struct tg_hooked *tg_hooked_of(const struct tg_cryptolib *library, const SSL *ssl,
                                     struct tg_connection_state **state);

/* Whose certificate CONTEXT verifies; NULL: no connection's. */
SSL *tg_connection_of(const struct tg_hooked *hooked, const X509_STORE_CTX *context);

#endif
