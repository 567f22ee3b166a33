/*
 * queue.h - a refusal on the error queue of the libcrypto that this library is bound to, for
 * programs whose questions no preload library answers.
 *
 * Who reads one error alone, the first or the last, finds libssl's "certificate verify failed", as
 * without a policy. Its text is the process's: so it has the reason while one thread alone has ever
 * shaken hands here, and until that does so again. Otherwise there is an error of our own between
 * the two of libssl's, for programs that print every error there is.
 *
 * What OpenSSL makes of either fits into the 120 bytes that the manual of ERR_error_string once
 * asked for.
 */
#ifndef TG_QUEUE_H
#define TG_QUEUE_H

#include "trustgraft.h"
#include <stdbool.h>
#include <stddef.h>

/* What there is room for behind libssl's words. All of these are safe in threads. */
#define TG_QUEUE_BRIEF 63

/* Libssl's words are its own again, as for a program that a preload library answers. */
void tg_queue_mend(void);

/* So they are, too, when a handshake or a verification begins in this thread. */
void tg_queue_forget(void);

/* Libssl's words end in BRIEF from now on. False: they don't. */
TG_MUST_USE bool tg_queue_name(const char *brief);

/* An error of our own: REASON, which stays for ever, from its byte SKIP on. */
void tg_queue_raise(const char *reason, size_t skip);

#endif
