/* lint.h - what is valid in a policy but probably not meant, or won't hold for long. */
#ifndef TG_LINT_H
#define TG_LINT_H

#include "diag.h"
#include "policy.h"

/*
 * Appends the warnings of `trustgraft check` about a valid policy at the time NOW: pins
 * near their end, a pin without a backup, an expired anchor, an insecure key without pin or
 * anchors-only, a rule that can never apply, a host that only has rules for ports, an exception
 * near or past its end.
 */
void tg_policy_lint(const tg_policy *policy, time_t now, struct tg_diags *diags);

#endif
