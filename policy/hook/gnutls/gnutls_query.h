/*
 * gnutls_query.h - the server of a session of GnuTLS, as a question to the engine: what it
 * presented, and the program's own anchors.
 */
#ifndef TG_GNUTLS_QUERY_H
#define TG_GNUTLS_QUERY_H

#include "gnutls_session.h"
#include "query.h"

struct tg_gnutls_query {
    struct tg_query query;
    const char *problem; /* why what was presented can't be read, half a sentence; NULL: it was */
    const struct tg_gnutls_session *state;
    gnutls_x509_trust_list_t trusted; /* NULL: the program has none there */
    STACK_OF(X509) *anchors;          /* all of them, where they had to be fetched */
    bool unread;                      /* some couldn't be read: none is ruled out then */
    STACK_OF(X509) *sent;
    X509_STORE *store;
    X509_STORE_CTX *app;
};

/* Always followed by tg_gnutls_query_close; borrows STATE, and what its library lends. */
void tg_gnutls_query_open(struct tg_gnutls_query *question, const struct tg_gnutls_session *state);
void tg_gnutls_query_close(struct tg_gnutls_query *question);

/* A path from the leaf, which there is, to one of the program's anchors, each signed by the next:
 * *WHOLE; else the leaf alone. To be freed; NULL: no memory. */
TG_MUST_USE STACK_OF(X509) *tg_gnutls_query_path(const struct tg_gnutls_query *question,
                                                 bool *whole);

#endif
