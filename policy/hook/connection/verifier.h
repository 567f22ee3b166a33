/*
 * verifier.h - the verify callback of a context (SSL_CTX_set_cert_verify_callback(3)). It is ours;
 * an application that sets its own past us, as Node.js does inside its executable and all do under
 * the provider, has that one called for hosts that the policy leaves to it.
 */
#ifndef TG_VERIFIER_H
#define TG_VERIFIER_H

#include "state.h"

/* Of CONTEXT, which is being made, and of its STATE: CALLBACK is to be its verify callback, with
 * HOOKED. It is set by this. */
void tg_verifier_put(const struct tg_hooked *hooked, SSL_CTX *context,
                     struct tg_context_state *state, int (*callback)(X509_STORE_CTX *, void *));

/*
 * Where the application's own has taken the place of ours in SSL's context, notes it and puts ours
 * back. To be called as a handshake begins, and again before the server is verified. Where the
 * place isn't known (seat.h) the application's stays, and the gate judges behind it.
 */
void tg_verifier_return(const struct tg_hooked *hooked, const SSL *ssl);

#endif
