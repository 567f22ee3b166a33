/* client.h - the parts of client.c: its transport, and what it verifies by hand. */
#ifndef TEST_GNUTLS_CLIENT_H
#define TEST_GNUTLS_CLIENT_H

#include <gnutls/gnutls.h>
#include <stdio.h>

/* What stands behind NAME= among the words, or NAME itself; NULL: it isn't there. */
const char *client_word(const char *name);

/* The path of the file of the PKI that is called NAME, with that ENDING. */
void client_path_of(char out[4096], const char *name, const char *ending);

/* DESCRIPTOR carries SESSION, as the words say. */
void client_set_transport(gnutls_session_t session, int descriptor);

/* Takes the leaf from SESSION, and says what comes of it. */
void client_verify_by_hand(gnutls_session_t session, FILE *out);
void client_verify_for_purpose(gnutls_session_t session, FILE *out);
void client_look_for_name(gnutls_session_t session, FILE *out);

#endif
