/* pair.h - a TLS client and a server in one process, over a pair of BIOs. */
#ifndef PAIR_H
#define PAIR_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* The server's name, in its certificate and as the client's SNI. */
#define PAIR_HOST "api.example.test"

enum outcome { ACCEPTED, REFUSED, BROKEN };
const char *outcome_word(enum outcome outcome);

/* Before anything else: the folder of the test PKI, and whether clients trust its root. */
void pair_setup(const char *pki, bool trusting);

/* What a client's context is set to: it verifies, and trusts the root or not. */
bool pair_prepare(SSL_CTX *ctx);

/* A client's context, which verifies; NULL if the library makes none. */
SSL_CTX *pair_client(void);

/* A connection of CTX that sends PAIR_HOST as SNI; NULL if the library makes none. */
SSL *pair_connection(SSL_CTX *ctx);

/* Connects CLIENT to a server of its own and sends it a byte; frees CLIENT (NULL: REFUSED). */
enum outcome pair_connect(SSL *client);

/* The same over the connected socket FD, which needs pair_serve at its other end. */
enum outcome pair_connect_fd(SSL_CTX *ctx, int fd);
void pair_serve(int fd);

/* All of it: context, connection, handshake. */
enum outcome pair_once(void);

#endif
