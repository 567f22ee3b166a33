/*
 * twinkey.h - one notion of a key for those that are refused: one digest for all encodings of it as
 * a SubjectPublicKeyInfo, as a compressed and an uncompressed point.
 */
#ifndef TG_TWINKEY_H
#define TG_TWINKEY_H

#include "hash.h"

/* True if KEY is an RSA key by any of the names that libcrypto takes for one. Unlike
 * EVP_PKEY_is_a(3) it needs no memory, and so never says no for want of it. */
TG_MUST_USE bool tg_twin_is_rsa(const X509_PUBKEY *key);

/* SHA-256 of KEY as a SubjectPublicKeyInfo that doesn't depend on how it was encoded; as it was
 * where it isn't RSA, DSA or elliptic. False without memory, or where the curve has no name. */
TG_MUST_USE bool tg_twin_key(const X509_PUBKEY *key, uint8_t out[TG_SHA256_SIZE]);

/* 1 if DIGESTS of keys have KEY in any encoding: that of tg_twin_key, its own, or another that is
 * usual, as with its curve written out. 0 if not, -1 without memory, or where the curve has no
 * name. */
TG_MUST_USE int tg_twin_has_key(const struct tg_digests *digests, const X509_PUBKEY *key);

#endif
