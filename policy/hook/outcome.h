/*
 * outcome.h - a verdict becomes what X509_verify_cert(3) would have left behind: error, depth,
 * chain, the application's own callback called along it, and a reason on the error queue.
 */
#ifndef TG_OUTCOME_H
#define TG_OUTCOME_H

#include "peer.h"
#include "verdict.h"

/* Both return what the verify callback returns: 0 is a refusal. ALIAS is the name that the leaf is
 * to carry, or NULL. VERDICT is NULL for a refusal where memory ran out. */
TG_MUST_USE int tg_outcome_accept(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                                  const struct tg_verdict *verdict, const char *alias);
TG_MUST_USE int tg_outcome_refuse(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                                  const struct tg_verdict *verdict, const struct tg_peer *peer);

/* The reason, on the program's error queue, as libssl's own "certificate verify failed". */
void tg_outcome_raise(const struct tg_cryptolib *library, const struct tg_verdict *verdict,
                      const struct tg_peer *peer);

#endif
