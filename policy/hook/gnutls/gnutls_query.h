/*
 * gnutls_query.h - the server of a session of GnuTLS, as a question to the engine: what it
 * presented, and the program's own anchors.
 */
#ifndef TG_GNUTLS_QUERY_H
#define TG_GNUTLS_QUERY_H

#include "foreign_judge.h"
#include "gnutls_session.h"

/* Initialise STATE alone, which is borrowed. */
struct tg_gnutls_query {
    struct tg_foreign_server server; /* the first */
    struct tg_gnutls_session *state;
    gnutls_x509_trust_list_t trusted; /* NULL: the program has none there */
    STACK_OF(X509) *anchors;          /* all of them, where they had to be fetched; to be freed */
};

/* Of a tg_gnutls_query: `fill` of struct tg_foreign_operations. */
void tg_gnutls_query_open(struct tg_foreign_server *server);

#endif
