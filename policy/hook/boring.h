/* boring.h - what BoringSSL needs besides: it has no new_func, and a verification of its own. */
#ifndef TG_BORING_H
#define TG_BORING_H

#include "state.h"

/*
 * Calls the application's verify callback along CHAIN (theirs), which is accepted, or once at
 * DEPTH with an ERROR. Nothing sets the certificate that a context of BoringSSL's stands at
 * but its own verification: that is made to walk the chain. 0: the application refuses.
 */
int tg_boring_tell(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context, void *chain,
                   int error, int depth);

/* The server's certificates as they came, leaf first; NULL: none, or they can't be read. */
STACK_OF(X509) *tg_boring_sent(const struct tg_hooked *hooked, const SSL *ssl);

#endif
