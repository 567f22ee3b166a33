/* hash.h - the two digests that identify a certificate. False: no memory. */
#ifndef TG_HASH_H
#define TG_HASH_H

#include "trustgraft.h"
#include <stdbool.h>
#include <stdint.h>

#define TG_SHA256_SIZE 32

/* SHA-256 digests: of a SubjectPublicKeyInfo (pins) or of a whole certificate's DER. */
struct tg_digests {
    uint8_t (*digest)[TG_SHA256_SIZE];
    size_t count;
};

/* SHA-256, fetched once: libcrypto would search its providers for EVP_sha256() each time. */
const EVP_MD *tg_hash_sha256(void);
/* SHA-256 of the certificate's whole DER. */
TG_MUST_USE bool tg_hash_certificate(const X509 *certificate, uint8_t out[TG_SHA256_SIZE]);
/* SHA-256 of KEY, a SubjectPublicKeyInfo, as DER. */
TG_MUST_USE bool tg_hash_pubkey(const X509_PUBKEY *key, uint8_t out[TG_SHA256_SIZE]);
/* SHA-256 of its SubjectPublicKeyInfo's DER (RFC 7469 section 2.4). */
TG_MUST_USE bool tg_hash_spki(const X509 *certificate, uint8_t out[TG_SHA256_SIZE]);
/* True if DIGEST is one of DIGESTS. */
TG_MUST_USE bool tg_digests_have(const struct tg_digests *digests,
                                 const uint8_t digest[TG_SHA256_SIZE]);

#endif
