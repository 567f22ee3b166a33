/*
 * named.h - the names that a program gave its library for a connection: those to verify, else the
 * one that is sent.
 */
#ifndef TG_NAMED_H
#define TG_NAMED_H

#include "candidate.h"

/*
 * Adds them to PEER, at each place that it may be at. CONTEXT is the verification under way; NULL:
 * it is yet to be made, of what SSL and its store have. What can't be read may be any name.
 */
void tg_named_add(struct tg_peer *peer, const struct tg_hooked *hooked, SSL *ssl,
                  const X509_STORE_CTX *context);

/* One NAME more (NULL, empty: none). The first makes PEER a named one, before it is known where the
 * connection leads. */
void tg_named_give(struct tg_peer *peer, const char *name);

#endif
