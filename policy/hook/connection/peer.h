/* peer.h - who is at the other end of a connection of libssl: what line.h asks of one. */
#ifndef TG_PEER_H
#define TG_PEER_H

#include "line.h"

/* tg_line_peer of SSL. */
void tg_peer_of(const struct tg_hooked *hooked, SSL *ssl, struct tg_peer *peer);

/* tg_line_peer_at_verdict, with the names that CONTEXT (NULL: SSL) is to verify by now. */
void tg_peer_at_verdict(const struct tg_hooked *hooked, SSL *ssl, const X509_STORE_CTX *context,
                        struct tg_peer *peer);

/* Another handshake starts: it may be with another peer. */
void tg_peer_forget(struct tg_connection_state *state);

#endif
