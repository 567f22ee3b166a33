/*
 * peer.h - who is at the other end of a connection: told once, when its first handshake starts, and
 * kept with it, as the facts that it is told from change later by others' doing. What can't be had
 * is unknown; nothing is guessed. What the program itself changes before the verdict is added.
 */
#ifndef TG_PEER_H
#define TG_PEER_H

#include "candidate.h"

/* Fills *PEER: what is kept with the connection, and what can be told by now. */
void tg_peer_of(const struct tg_hooked *hooked, SSL *ssl, struct tg_peer *peer);

/*
 * The same for a verdict: a name that CONTEXT (NULL: SSL) is to verify by now, and another place
 * that the connection leads to by now, become candidates too, and are kept.
 */
void tg_peer_at_verdict(const struct tg_hooked *hooked, SSL *ssl, const X509_STORE_CTX *context,
                        struct tg_peer *peer);

/*
 * Where it isn't known where the connection leads: all places that it may lead to become
 * candidates, by the sockets of the process. True if PEER has changed.
 */
bool tg_peer_search(struct tg_peer *peer);

/* Another handshake starts: it may be with another peer. */
void tg_peer_forget(struct tg_connection_state *state);

/* The port for a log line: also where all of the process's few connections have the same. */
unsigned tg_peer_shown_port(const struct tg_peer *peer);

/* What the preload sees of the process's sockets. */
void tg_peer_set_sockets(const struct tg_inject_sockets *sockets);

#endif
