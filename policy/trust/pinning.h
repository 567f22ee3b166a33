/*
 * pinning.h - the rule's pins: of the leaf's key, of a CA's, of any key on the path (RFC 7469). An
 * expired set isn't enforced. What a server merely sent is on no path, and has no pin.
 */
#ifndef TG_PINNING_H
#define TG_PINNING_H

#include "evaluation.h"

/* Adds a finding where the leaf's key isn't pinned. False only when memory ran out. */
TG_MUST_USE bool tg_pinning_check_leaf(struct tg_evaluation *evaluation);

/*
 * Adds to FINDINGS where no CA of CHAIN, or no certificate of it at all, has a pinned key. A CA
 * counts where PROVEN alone (tg_verification_proves). False only when memory ran out.
 */
TG_MUST_USE bool tg_pinning_check_path(const struct tg_evaluation *evaluation,
                                       const STACK_OF(X509) *chain, bool proven,
                                       struct tg_findings *findings);

#endif
