/* status.h - the stapled OCSP answer: asked for where the application didn't, and read. */
#ifndef TG_STATUS_H
#define TG_STATUS_H

#include "query.h"
#include "state.h"
#include "verdict.h"

/* Asks the server for a staple. ANSWER, if not NULL, becomes the status callback of the context
 * (SSL_CTX_set_tlsext_status_cb(3), with HOOKED for its argument), unless it has one. */
void tg_status_request(const struct tg_hooked *hooked, SSL *ssl, int (*answer)(SSL *, void *));

/* What is needed from the connection itself goes into QUERY: staple and TLS version. */
void tg_status_read(const struct tg_hooked *hooked, SSL *ssl, struct tg_query *query);

/* True if RULE (may be NULL) wants a staple. */
bool tg_status_wanted(const struct tg_rule *rule);

#endif
