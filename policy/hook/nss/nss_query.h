/* nss_query.h - the server of a socket of NSS, as a question to the engine: what it presented, and
 * the program's own anchors. */
#ifndef TG_NSS_QUERY_H
#define TG_NSS_QUERY_H

#include "hash.h"
#include "nss_socket.h"

/* Initialise STATE and ASKED, which is that the library asks for the verdict; STATE is borrowed. */
struct tg_nss_query {
    struct tg_foreign_server server; /* the first */
    struct tg_nss_socket *state;
    bool asked;
    bool digested;                  /* there is a leaf, */
    uint8_t digest[TG_SHA256_SIZE]; /* with this digest; */
    bool undigested;                /* or there is, and it can't be told from others */
};

/* Of a tg_nss_query: `fill` and `revoked` of struct tg_foreign_operations. */
void tg_nss_query_open(struct tg_foreign_server *server);
bool tg_nss_query_revoked(const struct tg_foreign_server *server);

#endif
