/*
 * reference.h - the names that a server has to have (RFC 6125 calls them reference identifiers),
 * held against its certificate and path: what the policy wants, and what the application has its
 * library verify.
 */
#ifndef TG_REFERENCE_H
#define TG_REFERENCE_H

#include "evaluation.h"

/*
 * Adds a finding where the leaf hasn't the name: `hostname`, else what was dialled and what else
 * the application has its library verify; or where a CA on the evaluation's path may not speak for
 * the name.
 */
void tg_reference_check(struct tg_evaluation *evaluation);

/* What the CAs of PATH (leaf first) may not speak for alone, to FINDINGS: so that a path without it
 * is preferred. */
void tg_reference_check_path(const struct tg_evaluation *evaluation, const STACK_OF(X509) *path,
                             struct tg_findings *findings);

/*
 * The address that PARAM has verified, as text: *ADDRESS, which the caller frees by OPENSSL_free,
 * or NULL for none. False if that can't be told for lack of memory.
 */
TG_MUST_USE bool tg_reference_address(X509_VERIFY_PARAM *param, char **address);

#endif
