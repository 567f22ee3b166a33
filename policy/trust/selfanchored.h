/*
 * selfanchored.h - the revocation of a leaf that is the anchor of its path itself. Its issuer
 * stands on no path, but the CRL or OCSP answer of its issuer speaks for it all the same.
 */
#ifndef TG_SELFANCHORED_H
#define TG_SELFANCHORED_H

#include "evaluation.h"

/*
 * The certificate, among all that the evaluation knows, whose key signed its leaf: whose CRL or
 * OCSP answer speaks for it, although no path leads there. That is the leaf itself where it is
 * self-signed. *ISSUER is a reference, or NULL where none is known. False only when memory ran out.
 */
TG_MUST_USE bool tg_selfanchored_issuer(const struct tg_evaluation *evaluation, X509 **issuer);

/*
 * Adds to FINDINGS what the rule's CRLs say of a leaf that is its own anchor: `revoked`, or
 * `revocation-unknown` where nothing is there that speaks for it. Nothing where `revocation` asks
 * for no CRL. False only when memory ran out.
 */
TG_MUST_USE bool tg_selfanchored_check_crls(const struct tg_evaluation *evaluation,
                                            struct tg_findings *findings);

#endif
