/*
 * constraint.h - may the CAs of a path speak for the host (RFC 5280 section 4.2.1.10)?
 * X509_verify_cert(3) holds name constraints against what stands in the leaf, where "*.example" is
 * outside of an excluded "secret.example", and a common name with a wildcard is no name at all; the
 * host that these are taken for may be inside.
 */
#ifndef TG_CONSTRAINT_H
#define TG_CONSTRAINT_H

#include "policy.h"

/* True if a CA on PATH (leaf first, the anchor is one too) has name constraints. */
bool tg_constraint_on(const STACK_OF(X509) *path);

/*
 * The depth of the first CA on PATH whose name constraints don't let it speak for HOST itself,
 * whatever name of the leaf was taken for it; 0 if there is none. What doesn't parse, or can't be
 * read without memory, doesn't let it.
 */
int tg_constraint_against(const STACK_OF(X509) *path, const char *host);

#endif
