/*
 * verification.h - X509_verify_cert(3) on one candidate path: on a context of our own that holds
 * exactly the certificates of the path. Whatever libcrypto finds is kept, and it goes on; what
 * costs much is put off until somebody vouches for the path, or left out with a finding.
 */
#ifndef TG_VERIFICATION_H
#define TG_VERIFICATION_H

#include "evaluation.h"

/* What came of it. Zero-initialise; tg_verification_clear it. */
struct tg_verification {
    struct tg_findings findings;
    STACK_OF(X509) *chain; /* the path as libcrypto made it; owned */
    bool anchored;         /* it ends in an anchor */
};

/*
 * Verifies PATH (leaf first; the last is an anchor where ANCHORED) for EVALUATION, whose cost
 * grows. Adds what is wrong to RESULT, and fills it. False only when memory ran out.
 */
TG_MUST_USE bool tg_verification_run(struct tg_evaluation *evaluation, const STACK_OF(X509) *path,
                                     bool anchored, struct tg_verification *result);

/* True if the CA certificates of the path count: one that reaches no anchor or has a defect proves
 * no key. */
bool tg_verification_proves(const struct tg_verification *result);

void tg_verification_clear(struct tg_verification *result);

#endif
