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

/*
 * A policy of SOURCE's one section, [host] or [exception], that has from BASE what stands in other
 * sections: it borrows from BASE, and has to go first. SOURCE's text is changed. NULL after errors
 * were added to DIAGS, or where memory ran out.
 */
struct tg_load;
struct tg_source;
TG_MUST_USE tg_policy *tg_policy_of_section(struct tg_load *base, struct tg_source *source,
                                            struct tg_diags *diags);

/* Begins LOAD, whose policy is a new one; tg_load_end frees what isn't the policy's. */
TG_MUST_USE bool tg_load_begin(struct tg_load *load, struct tg_diags *diags);
void tg_load_end(struct tg_load *load);

#endif
