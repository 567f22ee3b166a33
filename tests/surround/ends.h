/* ends.h - both ends of a TLS connection in one process, and words for what came of it. */
#ifndef ENDS_H
#define ENDS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#define ENDS_HOST "api.example.test"

/* Before anything else: the folder of the test PKI, and whether clients trust its root. */
void ends_setup(const char *pki, bool trusting);
/* The path of FILE in that folder, in a buffer of the thread. */
const char *ends_file(const char *file);

/* A server's context with the identity LEAF, and at most VERSION (0: any); NULL if it fails. */
SSL_CTX *ends_server(const char *leaf, int version);
/* A client's, which verifies. */
SSL_CTX *ends_client(void);

/* A connection that goes on from a fresh context, which it takes; NULL stays NULL. */
SSL *ends_accepting(SSL_CTX *ctx);
/* The same for a client, which sends HOST as SNI. */
SSL *ends_connecting(SSL_CTX *ctx, const char *host);

/* Both, at most of VERSION (0: any), for a handshake by a key that they share and no certificates,
 * which a rule with anchors refuses when it is over. */
void ends_by_key(SSL **client, SSL **server, int version);

/* Joins the two by a pair of BIOs. */
bool ends_join(SSL *client, SSL *server);
/* Drives both until they are through (true), or one fails or waits for ever. */
bool ends_shake(SSL *client, SSL *server);
/* True if a byte that FROM writes arrives at TO. */
bool ends_pass(SSL *from, SSL *to);

/* All of it: join, shake, a byte each way. "through" or "stopped". */
const char *ends_meet(SSL *client, SSL *server);

/* Prints the reasons on this thread's error queue, and empties it. */
void ends_print_queue(void);

/* A word of the command line, and what it does. */
struct ends_scenario {
    const char *name;
    void (*run)(void);
};
/* Runs the scenario that ARGV[1] names; ARGV[2] and whether ARGV[3] is "trusting" are for
 * ends_setup. The exit status: 2 where there is none of that name. */
int ends_main(int argc, char **argv, const struct ends_scenario *scenarios, size_t count);

#endif
