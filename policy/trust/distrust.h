/*
 * distrust.h - [distrust]: a path that holds a certificate or key listed there is refused for every
 * host, however it is encoded, and nothing forgives it.
 */
#ifndef TG_DISTRUST_H
#define TG_DISTRUST_H

#include "findings.h"
#include "query.h"
#include "verdict.h"

/*
 * 1 if POLICY (NULL: nothing) distrusts CERTIFICATE or its key, however they are encoded; ISSUER
 * is whose key signed it; NULL: its own, if it is self-issued, or nobody knows. 0 if not, -1 when
 * memory ran out.
 */
TG_API TG_MUST_USE int tg_distrusts(const tg_policy *policy, const X509 *certificate,
                                    const X509 *issuer);

/*
 * Both add a finding for each certificate that POLICY (NULL: nothing) distrusts; false only when
 * memory ran out. tg_distrust_sent is for a leaf whose path nobody verified: it follows, by name
 * and key identifier, what was sent with the leaf.
 */
TG_MUST_USE bool tg_distrust_path(const tg_policy *policy, const STACK_OF(X509) *path,
                                  struct tg_findings *findings);
TG_MUST_USE bool tg_distrust_sent(const tg_policy *policy, const struct tg_query *query,
                                  struct tg_findings *findings);

/* The path that an application's own verification took, also over errors that it forgives. */
struct tg_app_path {
    const STACK_OF(X509) *path; /* NULL: it took none */
    bool verified;              /* without an error */
};

/*
 * For a host that no rule matches: *REFUSAL is a verdict if the path of the application, or where
 * that isn't verified, the leaf and its issuers by name among QUERY->sent too, holds something
 * distrusted; NULL if not. False only when memory ran out: the caller must refuse.
 */
TG_MUST_USE bool tg_distrust_refuse(const tg_policy *policy, const struct tg_query *query,
                                    const struct tg_app_path *app, struct tg_verdict **refusal);

#endif
