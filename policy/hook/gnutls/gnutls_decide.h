/*
 * gnutls_decide.h - the handshake of a session: the verdict falls in it, or once it is done where
 * the library asked nobody (a resumed session, no certificate). Whatever the program verifies by
 * itself is asked too, and overruled where a rule accepts.
 */
#ifndef TG_GNUTLS_DECIDE_H
#define TG_GNUTLS_DECIDE_H

#include "gnutls_session.h"

/* *RESULT is what gnutls_handshake(3) returns in its place. False: SESSION isn't known. */
TG_MUST_USE bool tg_gnutls_decide(gnutls_session_t session, int *result);

/* Our verify function takes the place of the one that the library has just set in the session, if
 * it stood there before. */
void tg_gnutls_decide_reinstall(struct tg_gnutls_session *state);

/* A gnutls_handshake_secret_func that passes on to the program's what it may have by now: no key
 * for data before the server is known, where the policy demands something of it. */
int tg_gnutls_decide_secret(gnutls_session_t session, unsigned level, const void *read,
                            const void *write, size_t size);

/* The verdict that is in force on STATE has changed to a refusal, after the handshake: the
 * connection is ended. */
void tg_gnutls_stop(struct tg_gnutls_session *state);

#endif
