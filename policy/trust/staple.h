/*
 * staple.h - a stapled OCSP answer (RFC 6066 section 8, RFC 6960). An answer that can't be relied
 * on is a finding; that it revokes the certificate counts even then.
 */
#ifndef TG_STAPLE_H
#define TG_STAPLE_H

#include "evaluation.h"

/* How far a responder's clock may be from ours, in seconds. */
#define TG_STAPLE_SKEW 300

/*
 * Adds what the staple of the query says of its leaf to the evaluation's findings: `revoked`,
 * or `revocation-unknown` where the answer is of no use (malformed, for another certificate,
 * signed by neither the issuer nor a responder it delegated to, too old, without an end) or is
 * demanded and missing. False only when memory ran out.
 */
TG_MUST_USE bool tg_staple_check(struct tg_evaluation *evaluation);

#endif
