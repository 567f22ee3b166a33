/*
 * nss_decide.h - the handshake of a socket: the verdict falls in it, or at its end where the
 * library asked nobody (a resumed session, no certificate), before any data passes. Whatever the
 * program verifies by itself is asked too, and overruled where a rule accepts.
 */
#ifndef TG_NSS_DECIDE_H
#define TG_NSS_DECIDE_H

#include "nss_socket.h"

/* Puts the hook's callbacks into STATE's socket, in place of those that it has. */
TG_MUST_USE bool tg_nss_decide_install(struct tg_nss_socket *state);

/* The callback in place of the program's for a certificate that was refused; NULL: it has none. */
SSLBadCertHandler tg_nss_decide_bad(const struct tg_nss_socket *state);

/*
 * Whether data may pass through STATE: brings the handshake to its end, for TIMEOUT at most (NULL:
 * as the library was told last). False, with NSPR's error set: not yet, or never.
 */
TG_MUST_USE bool tg_nss_decide_pass(struct tg_nss_socket *state, const PRIntervalTime *timeout);

/* SSL_ForceHandshake(WithTimeout) of STATE. */
SECStatus tg_nss_decide_force(struct tg_nss_socket *state, const PRIntervalTime *timeout);

/* The program has given the server another name. */
void tg_nss_decide_again(struct tg_nss_socket *state);

#endif
