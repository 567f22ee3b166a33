/*
 * mark.h - a note of ours in each library context (OSSL_LIB_CTX) of a libcrypto, which goes with
 * it. There is no place for one but the ex_data indexes that each has: the note is the number that
 * one of CRYPTO_EX_INDEX_APP, a kind that libcrypto leaves to applications, was registered with.
 */
#ifndef TG_MARK_H
#define TG_MARK_H

#include "cryptolib.h"

/* Adds to the note in the thread's library context, which is all zeros first. False: no memory. */
TG_MUST_USE bool tg_mark_add(const struct tg_cryptolib *library, unsigned bits);

/* False: no memory. */
TG_MUST_USE bool tg_mark_read(const struct tg_cryptolib *library, unsigned *bits);

#endif
