/*
 * load.h - a policy out of its files: whole, or not at all. What is wrong with the text is said in
 * diagnostics (diag.h).
 */
#ifndef TG_LOAD_H
#define TG_LOAD_H

#include "diag.h"
#include "override.h"
#include "policy.h"

/*
 * Loads PATH (absolute or relative to the working directory; diagnostics show it as given).
 * Errors and warnings are appended to DIAGS. NULL if there was an error or no memory; the
 * caller owns the reference otherwise. Never loads a part of a policy.
 */
TG_MUST_USE tg_policy *tg_policy_parse(const char *path, struct tg_diags *diags);

/* tg_policy_parse with OVERRIDE (may be NULL): what the policy would be if that file were changed.
 */
TG_MUST_USE tg_policy *tg_policy_parse_with(const char *path, const struct tg_override *override,
                                            struct tg_diags *diags);

#endif
