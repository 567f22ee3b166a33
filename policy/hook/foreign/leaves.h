/*
 * leaves.h - leaves that this process has accepted, and those that a connection showed which no
 * rule accepted, by the digest of their DER: for programs that verify a certificate apart from its
 * connection. A leaf that was in both places speaks for none, so that no host's rule opens another
 * host's door. Safe in threads and after fork.
 */
#ifndef TG_LEAVES_H
#define TG_LEAVES_H

#include "hash.h"
#include "trustgraft.h"

/* The digest of a certificate's DER, SIZE bytes. False: no memory. */
TG_MUST_USE bool tg_leaves_digest(const void *der, size_t size, uint8_t digest[TG_SHA256_SIZE]);

/* The leaf was accepted for HOST, in canonical form. */
void tg_leaves_accept(const uint8_t leaf[TG_SHA256_SIZE], const char *host);

/* The leaf was handed to the program by a connection that wasn't accepted. */
void tg_leaves_leave(const uint8_t leaf[TG_SHA256_SIZE]);

/* True if the leaf may be told to be good, for HOST; NULL: for any. */
TG_MUST_USE bool tg_leaves_know(const uint8_t leaf[TG_SHA256_SIZE], const char *host);

/* True if one was ever accepted. */
TG_MUST_USE bool tg_leaves_any(void);

#endif
