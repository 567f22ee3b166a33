/*
 * twin.h - one notion of a certificate for those that are refused: not its bytes, which others can
 * write anew, but what its issuer signed. Twins are certificates that differ in nothing else, as
 * the two spellings of an ECDSA signature do. What is trusted is known by all of its bytes
 * (hash.h).
 */
#ifndef TG_TWIN_H
#define TG_TWIN_H

#include "hash.h"

/* SHA-256 of what CERTIFICATE's issuer signed: its TBSCertificate as it came (RFC 5280 section
 * 4.1). False without memory. */
TG_MUST_USE bool tg_twin_signed(const X509 *certificate, uint8_t out[TG_SHA256_SIZE]);

/* True if the issuer of ONE and OTHER signed the same; also where memory ran out. */
TG_MUST_USE bool tg_twin_same(const X509 *one, const X509 *other);

/*
 * 1 if DIGESTS, of tg_twin_signed or whole certificates, have CERTIFICATE or one that differs from
 * it in nothing but its ECDSA signature, which anyone can write as (r, n-s); n is of the key of
 * ISSUER, or where that is NULL, of any curve that is usual. 0 if not, -1 without memory, or where
 * an ECDSA signature is none.
 */
TG_MUST_USE int tg_twin_has_certificate(const struct tg_digests *digests, const X509 *certificate,
                                        const X509 *issuer);

#endif
