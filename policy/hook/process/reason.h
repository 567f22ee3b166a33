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

/* The sentence of that refusal; NULL: there is none. */
const char *tg_reason_now(void);

/* It stands on the error queue as CODE. */
void tg_reason_raised(unsigned long code);

/*
 * Puts the reason on the queue of the libcrypto that this library is bound to, as an error of a
 * library of its own, where no preload library stands in for the functions below. For programs that
 * print every error there is, not for those that look at the first or the last one alone. Its text
 * is so short that with what OpenSSL puts before it, it fits into the 120 bytes of
 * ERR_error_string.
 */
void tg_reason_raise(void);

/*
 * The program asks for the texts of verification errors of a connection that was refused with
 * REASON and CODE; NULL: of none. ONCE: for one text, else until the next call.
 */
void tg_reason_point(const char *reason, long code, bool once);

/*
 * What the program is told where its library says PLAIN (may be NULL) of an error of
 * X509_verify_cert, of one on the queue, or of one of GnuTLS: PLAIN, or a text with the reason. An
 * error on the queue gives the reason once.
 */
const char *tg_reason_verification(long code, const char *plain);
const char *tg_reason_error(unsigned long code, const char *plain);
const char *tg_reason_gnutls(int code, const char *plain);

/* The same of an error on the queue: the reason alone, or NULL. */
const char *tg_reason_take(unsigned long code);

/* The program read DATA (may be NULL) of an error, which may have told it. */
void tg_reason_read(const char *data);

#endif
