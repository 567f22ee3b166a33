/* lint.h - what is valid in a policy but probably not meant, or won't hold for long. */
#ifndef TG_LINT_H
#define TG_LINT_H

#include "diag.h"
#include "policy.h"

/* How long before its end, in seconds, tg_policy_lint warns of something. */
enum { TG_LINT_WITHIN = 30 * 86400 };

/*
 * Appends the warnings of `trustgraft check` about a valid policy at the time NOW: pins
 * near their end, a pin without a backup, an expired anchor, an insecure key without pin or
 * anchors-only, a rule that can never apply, a host that only has rules for ports, an exception
 * near or past its end.
 */
void tg_policy_lint(const tg_policy *policy, time_t now, struct tg_diags *diags);

/* The same, with what ends in less than WITHIN seconds, CRLs too, as near its end: those are made
 * anew so often that without this only one that is out of date is warned of. */
void tg_policy_lint_within(const tg_policy *policy, time_t now, time_t within,
                           struct tg_diags *diags);

#endif
