/*
 * chains.h - what came with a leaf in the handshake that showed it: NSS resumes a session with the
 * leaf alone, and the rest is needed for a verdict then. Nothing here is trusted. Safe in threads
 * and after fork.
 */
#ifndef TG_CHAINS_H
#define TG_CHAINS_H

#include "foreign_judge.h"
#include "hash.h"

/* SERVER's certificates, by the digest of its leaf; those that are known of it are replaced. */
void tg_chains_keep(const uint8_t leaf[TG_SHA256_SIZE], const struct tg_foreign_server *server);

/* Presents to SERVER, which has the leaf alone, what came with it once. False: no memory. */
TG_MUST_USE bool tg_chains_add(const uint8_t leaf[TG_SHA256_SIZE],
                               struct tg_foreign_server *server);

/* True once something was forgotten: a session that is resumed may lack its certificates. */
TG_MUST_USE bool tg_chains_lost(void);

#endif
