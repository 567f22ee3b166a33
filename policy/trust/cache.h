/*
 * cache.h - acceptances remembered, so that a host seen again costs a digest, not signatures. A
 * refusal is never remembered, and nothing longer than what it rests on holds.
 */
#ifndef TG_CACHE_H
#define TG_CACHE_H

#include "match.h"
#include "query.h"
#include "verdict.h"

/*
 * As tg_evaluate. An acceptance under a rule that doesn't ask the application for anchors
 * depends on nothing but the policy, the host and the certificates; of a leaf that is seen again
 * it is kept, and reused for the same bytes while the certificates, pins and exceptions behind it
 * last. Safe in threads and after fork: a thread that finds the cache busy evaluates anew.
 */
TG_MUST_USE struct tg_verdict *tg_evaluate_cached(const tg_policy *policy,
                                                  const struct tg_match *match,
                                                  const struct tg_query *query);

#endif
