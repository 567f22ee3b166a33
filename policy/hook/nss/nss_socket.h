/*
 * nss_socket.h - what is kept of a socket of NSS, by the `secret` of its layer, which stays the
 * same while others are pushed on top of it. Threads that read and write at once share it.
 */
#ifndef TG_NSS_SOCKET_H
#define TG_NSS_SOCKET_H

#include "foreign_judge.h"
#include "nss_lib.h"
#include "turn.h"

enum tg_nss_role { TG_NSS_UNTOLD, TG_NSS_CLIENT, TG_NSS_SERVER };

struct tg_nss_socket {
    const struct tg_nss *library;
    PRFileDesc *_Atomic fd;      /* its layer, as it was last seen */
    const PRIOMethods *original; /* the library's, behind METHODS */
    PRIOMethods methods;
    int identity;   /* of such a layer */
    bool datagrams; /* DTLS */
    _Atomic enum tg_nss_role role;

    /* What the program has set; where it set none, what the library would call. */
    struct tg_nss_set {
        SSLAuthCertificate auth;
        void *auth_arg;
        SSLBadCertHandler bad;
        void *bad_arg;
        SSLHandshakeCallback done;
        void *done_arg;
        bool named; /* it has given a name */
    } set;
    tg_turn shaking;      /* while a thread shakes hands because a rule asks for it */
    tg_turn turn;         /* while the policy is asked: */
    struct tg_peer *peer; /* as it was told once (line.h); NULL: not yet */

    /* Of the handshake under way: */
    atomic_bool started;  /* the policy was asked what it has to say beforehand, */
    atomic_bool demanded; /* and it has something to say */
    atomic_bool judged;   /* there is a verdict on it */
    atomic_bool passed;   /* one was completed, and its server not refused */
    _Atomic enum tg_foreign_outcome outcome;
    const char *_Atomic reason; /* why it was refused, as tg_reason_now gave it; or NULL */
};

/* NULL: none is kept of what FD, a layer over or under it, belongs to. */
struct tg_nss_socket *tg_nss_socket_of(PRFileDesc *fd);

/* The same of FD, its own layer. */
struct tg_nss_socket *tg_nss_socket_at(PRFileDesc *fd);

/* A fresh one for FD, its own layer, with what MODEL (may be NULL) has set. NULL: no memory. */
TG_MUST_USE struct tg_nss_socket *
tg_nss_socket_make(const struct tg_nss *library, const struct tg_nss_socket *model, PRFileDesc *fd);
/* What is kept is no longer found, and is the caller's, for the next; NULL: nothing. KEY is that
 * `secret`. */
TG_MUST_USE struct tg_nss_socket *tg_nss_socket_take(const void *key);
void tg_nss_socket_free(struct tg_nss_socket *state); /* NULL is fine */

/* STATE gets what MODEL has set, as SSL_ReconfigFD has it. */
void tg_nss_socket_copy(struct tg_nss_socket *state, const struct tg_nss_socket *model);

/* How the library answers on behalf of a server that is refused. */
void tg_nss_socket_set_error(const struct tg_nss_socket *state);

/* The program is given that error, and may ask for its text. */
void tg_nss_socket_point(const struct tg_nss_socket *state);

#endif
