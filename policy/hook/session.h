/*
 * session.h - the session that a connection offers. One that the policies didn't let in for this
 * peer, in this process, must not stand in for an evaluation: it is dropped, made worthless, or the
 * handshake is refused.
 */
#ifndef TG_SESSION_H
#define TG_SESSION_H

#include "given.h"
#include "peer.h"

/* True if SSL offers such a session. */
TG_MUST_USE bool tg_session_is_unknown(const struct tg_hooked *hooked, SSL *ssl,
                                       const struct tg_policies *policies, struct tg_peer *peer);

/* Takes the session away before the ClientHello is made. */
void tg_session_drop(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state);

/* The same while the ClientHello is made, too late for that: 0 if the session was made worthless,
 * else -1, and the refusal is logged and raised. */
TG_MUST_USE int tg_session_spoil(const struct tg_hooked *hooked, SSL *ssl,
                                 struct tg_connection_state *state,
                                 const struct tg_process *process, const struct tg_peer *peer);

/* Gives the application back what tg_session_spoil took: to send tickets. */
void tg_session_allow_tickets(const struct tg_hooked *hooked, SSL *ssl,
                              struct tg_connection_state *state);

#endif
