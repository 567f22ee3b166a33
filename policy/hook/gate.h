/*
 * gate.h - the info callback of every hooked connection: it sees a handshake start and end. A
 * session that the policy didn't let in is taken away before it is offered, and no handshake ends
 * without a verdict, whichever callbacks the application sets.
 */
#ifndef TG_GATE_H
#define TG_GATE_H

#include "state.h"
#include "wire.h"

/*
 * The gate of every hooked context of LIBRARY, and of every hooked connection from its start on: an
 * info callback carries no argument that tells.
 */
tg_info_callback *tg_gate_of(const struct tg_cryptolib *library);

/* Makes the gate the info callback of SSL, if SSL has none. */
void tg_gate_raise(const struct tg_hooked *hooked, SSL *ssl);

/* Puts the gate back where the application set an info callback of its own (Node does); the
 * gate calls that one. True if it had to. */
bool tg_gate_restore(const struct tg_hooked *hooked, SSL *ssl);

/*
 * An SSL_custom_ext_add_cb_ex of every hooked context, for an extension that is never sent:
 * it sees each ClientHello, and puts the gate back where the application replaced it.
 */
int tg_gate_hello(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                  size_t *length, X509 *certificate, size_t index, int *alert, void *arg);

/* The same of a context that nothing can be kept of: refuses each connection. */
int tg_gate_refuse(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                   size_t *length, X509 *certificate, size_t index, int *alert, void *arg);

/* What SSL_CTX_set_tlsext_status_cb(3) is given, for an SSL_CTX whose connections need a staple;
 * ARG is the struct tg_hooked. */
int tg_gate_staple(SSL *ssl, void *arg);

/* What the connection's BIOs tell: see wire.h. */
extern const struct tg_wire_watcher tg_gate_watcher;

#endif
