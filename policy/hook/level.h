/*
 * level.h - a rule's security level on a connection. It is for one handshake: the next one on the
 * same SSL (SSL_clear(3)) may be with a host whose rule has none.
 */
#ifndef TG_LEVEL_H
#define TG_LEVEL_H

#include "state.h"

/* LEVEL counts from now on. Without a STATE (may be NULL) nobody could give back what there was: it
 * only becomes stricter then. */
void tg_level_lend(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state,
                   int level);

/* What was found counts again, unless the application has set another level since. */
void tg_level_return(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state);

#endif
