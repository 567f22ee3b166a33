/* client.h - the parts of client.c: how it connects, and what it verifies by itself. */
#ifndef TEST_NSS_CLIENT_H
#define TEST_NSS_CLIENT_H

#include <ssl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

/* What stands behind NAME= among the words, or NAME itself; NULL: it isn't there. */
const char *client_word(const char *name);
bool client_is(const char *name, const char *value);

/* A layer that carries TLS to PORT as the words say, without TLS on it. */
PRFileDesc *client_dial(int port);

/* The handshake of SOCKET is to begin: as one that is connected already, or it is connected. */
bool client_begin(PRFileDesc *socket, int port);

/* Has SOCKET verify as the words say. */
void client_set_verification(PRFileDesc *socket);

/* Takes the leaf from SOCKET, and says what comes of it. */
void client_verify_by_hand(PRFileDesc *socket, FILE *out);

/* Whether NSPR's words for the last error name a policy, the first time and the second. */
const char *client_told(void);

/* How often a callback of the program's own was called, in all threads. */
extern atomic_int client_called;

#endif
