/*
 * evaluate.h - the evaluation of one server: all checks of a rule, in the order of
 * trustgraft.conf(5). All that is wrong is found, not the first alone. Safe in
 * threads.
 */
#ifndef TG_EVALUATE_H
#define TG_EVALUATE_H

#include "match.h"
#include "query.h"
#include "verdict.h"

/*
 * Evaluates QUERY under MATCH (of tg_policy_match on the same policy and host; its rule not
 * NULL, its action not `pass`). NULL only when memory ran out: the caller must refuse.
 */
TG_MUST_USE struct tg_verdict *tg_evaluate(const tg_policy *policy, const struct tg_match *match,
                                           const struct tg_query *query);

#endif
