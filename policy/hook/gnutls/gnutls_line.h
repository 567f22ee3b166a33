/* gnutls_line.h - who is at the other end of a session of GnuTLS: what line.h asks of one. */
#ifndef TG_GNUTLS_LINE_H
#define TG_GNUTLS_LINE_H

#include "gnutls_session.h"

/* tg_line_peer_at_verdict of STATE. */
void tg_gnutls_peer(struct tg_gnutls_session *state, struct tg_peer *peer);

#endif
