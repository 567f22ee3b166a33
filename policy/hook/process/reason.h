/*
 * reason.h - why a policy refused, for the program's own messages: one sentence for each refusal,
 * which is told of the connection that was refused and of no other.
 *
 * What is kept is the thread's, as the error queue of its TLS library is. The texts are the
 * process's, and stay for ever, for a program may keep what its library gave it; there is room for
 * so many different ones, and what finds no room isn't told.
 */
#ifndef TG_REASON_H
#define TG_REASON_H

#include "verdict.h"

/* A verification begins: no earlier refusal is spoken of any more. */
void tg_reason_forget(void);

/* VERDICT refuses, and this thread's program is about to hear of it. */
void tg_reason_refuse(const struct tg_verdict *verdict);

/* The sentence of that refusal, NULL: there is none; and its X509_V_ERR_*. */
const char *tg_reason_now(void);
int tg_reason_x509(void);

/* It stands on the error queue as CODE. */
void tg_reason_raised(unsigned long code);

/*
 * Has it told by the queue of the libcrypto that this library is bound to (queue.h), for programs
 * that no preload library answers: in the text of the error that stands there, or as an error of
 * its own where none is preloaded. ALONE: no connection of that library's comes to that error but
 * by trustgraft.
 */
void tg_reason_raise(bool alone);

/* What a program asks the text of: an X509_V_ERR_*, a status of GnuTLS's, an error of NSPR's. */
enum tg_reason_code { TG_REASON_X509, TG_REASON_STATUS, TG_REASON_NSPR };

/*
 * The program was given CODE of a connection that was refused with REASON; NULL: of one that
 * wasn't. If it is so ONCE, it is told with the first text that is asked for, else until the next
 * call.
 */
void tg_reason_point(enum tg_reason_code kind, const char *reason, long code, bool once);

/* The program is given a code of something else than a connection: what is told once is over. */
void tg_reason_unpoint(void);

/*
 * What the program is told where its library says PLAIN (may be NULL) of an error of
 * X509_verify_cert, of one on the queue, of one of GnuTLS's or of NSPR's: PLAIN, or a text with the
 * reason. An error on the queue gives the reason once.
 */
const char *tg_reason_verification(long code, const char *plain);
const char *tg_reason_error(unsigned long code, const char *plain);
const char *tg_reason_gnutls(int code, const char *plain);
const char *tg_reason_nspr(int code, const char *plain);

/* The same of an error on the queue, and of a status of GnuTLS's: the reason alone, or NULL. */
const char *tg_reason_take(unsigned long code);
const char *tg_reason_status(unsigned status);

/* The program read DATA (may be NULL) of an error, which may have told it. */
void tg_reason_read(const char *data);

#endif
