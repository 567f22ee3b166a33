/*
 * store_digests.h - certificates and keys that are known by their digests: pins, trusted leaves,
 * and what [distrust] names.
 */
#ifndef TG_STORE_DIGESTS_H
#define TG_STORE_DIGESTS_H

#include "storing.h"

tg_store_value tg_store_leaves; /* certificates: tg_digests, or the distrusted ones of `load` */
tg_store_value tg_store_pins;   /* keys: tg_digests, or the distrusted ones of `load` */
tg_store_value tg_store_fingerprint; /* of one certificate: uint8_t[TG_SHA256_SIZE] */

/* Copies DIGESTS, 32 bytes each, to the policy's arena as *OUT and empties it. */
void tg_store_digests(struct tg_load *load, struct tg_buf *digests, struct tg_digests *out);

#endif
