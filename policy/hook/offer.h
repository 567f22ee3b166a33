/*
 * offer.h - the session that a connection offers, told from a key that its application brings while
 * the ClientHello is made (SSL_set_psk_use_session_callback(3)): that comes as a session too, with
 * any certificate that the application likes, and whoever has the key can answer.
 */
#ifndef TG_OFFER_H
#define TG_OFFER_H

#include "state.h"

/* SSL offers what it holds now. */
void tg_offer_note(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state);

/* SSL offers nothing that counts. */
void tg_offer_none(struct tg_connection_state *state);

/* True if SSL goes on under such a key, and not under what it offered; also where that can't be
 * told from a session, for lack of memory. */
TG_MUST_USE bool tg_offer_is_key(const struct tg_hooked *hooked, SSL *ssl);

#endif
