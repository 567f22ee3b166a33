/*
 * distrust.h - [distrust]: a path that holds a certificate or key listed there is refused for every
 * host, however it is encoded, and nothing forgives it.
 */
#ifndef TG_DISTRUST_H
#define TG_DISTRUST_H

#include "findings.h"
#include "query.h"
#include "sources.h"
#include "verdict.h"

/*
 * 1 if POLICY (NULL: nothing) distrusts CERTIFICATE or its key, however they are encoded; ISSUER
 * is whose key signed it; NULL: its own, if it is self-issued, or nobody knows. 0 if not, -1 when
 * memory ran out.
 */
TG_API TG_MUST_USE int tg_distrusts(const tg_policy *policy, const X509 *certificate,
                                    const X509 *issuer);

/*
 * All add a finding for each certificate that POLICY (NULL: nothing) distrusts; false only when
 * memory ran out.
 */
TG_MUST_USE bool tg_distrust_path(const tg_policy *policy, const STACK_OF(X509) *path,
                                  struct tg_findings *findings);
/*
 * For END, at DEPTH, whose issuer no path has: whoever leaves the CA out hides it from nobody. It
 * is looked for by the signature, with the keys that the policy's files have and those of
 * distrusted certificates in FROM.
 */
TG_MUST_USE bool tg_distrust_signer(const tg_policy *policy, const struct tg_sources *from,
                                    X509 *end, int depth, struct tg_findings *findings);
/* For a LEAF whose path nobody verified: both of these, and so on upwards, by name and key
 * identifier, over what FROM has; over what was sent, all that the name alone leads to. */
TG_MUST_USE bool tg_distrust_leaf(const tg_policy *policy, const struct tg_sources *from,
                                  X509 *leaf, struct tg_findings *findings);

/* The path that an application's own verification took, also over errors that it forgives. */
struct tg_app_path {
    const STACK_OF(X509) *path; /* NULL: it took none */
    bool verified;              /* without an error */
};

/*
 * For a host that no rule matches: *REFUSAL is a verdict if the path of the application, or where
 * that isn't verified, the leaf and its issuers among QUERY->sent too, holds something
 * distrusted; NULL if not. False only when memory ran out: the caller must refuse.
 */
TG_MUST_USE bool tg_distrust_refuse(const tg_policy *policy, const struct tg_query *query,
                                    const struct tg_app_path *app, struct tg_verdict **refusal);

#endif
