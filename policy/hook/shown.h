/*
 * shown.h - contexts and connections of a library that calls no new_func for them: the preload
 * shows each one as soon as it is made.
 */
#ifndef TG_SHOWN_H
#define TG_SHOWN_H

#include "state.h"

/* Hooks a context or a connection that isn't yet. False: it must not be used. */
TG_MUST_USE bool tg_shown_context(const struct tg_hooked *hooked, SSL_CTX *context);
TG_MUST_USE bool tg_shown_connection(const struct tg_hooked *hooked, SSL *ssl);

#endif
