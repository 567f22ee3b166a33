/*
 * authorities.h - the CA certificates above a path's lowest that were once verified. That each is
 * signed by the next, which may sign certificates, holds for their bytes whenever they come again
 * and whoever sends them: it needs no checking for each server. Nothing else is remembered.
 */
#ifndef TG_AUTHORITIES_H
#define TG_AUTHORITIES_H

#include "hash.h"
#include <openssl/x509.h>

/*
 * KEY tells the certificates of CHAIN without its leaf, every byte of each, from all others. False,
 * without memory: then nothing is known of them.
 */
TG_MUST_USE bool tg_authorities_key(const STACK_OF(X509) *chain, uint8_t key[TG_SHA256_SIZE]);

/* Keep what was verified; what was kept may be forgotten. Safe in threads and after fork. */
void tg_authorities_keep(const uint8_t key[TG_SHA256_SIZE]);
TG_MUST_USE bool tg_authorities_known(const uint8_t key[TG_SHA256_SIZE]);

#endif
