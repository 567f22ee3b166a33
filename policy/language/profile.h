/* profile.h - [profile] sections, and their keys in the rules that name them. */
#ifndef TG_PROFILE_H
#define TG_PROFILE_H

#include "loading.h"

/* Enters RULE as the profile that SECTION names; complains if there is one of that name. */
void tg_profile_add(struct tg_load *load, struct tg_section *section, struct tg_rule *rule);

/*
 * Gives RULE, of a [host] SECTION, each key that it doesn't set itself from the profile it
 * names, if any: a list key as a whole. Complains if there is none or it inherits from
 * itself; SECTION is broken too where the profile is. All profiles have been added.
 */
void tg_profile_apply(struct tg_load *load, struct tg_section *section, struct tg_rule *rule);

/* Warns of each profile that nothing named. */
void tg_profile_warn_unused(struct tg_load *load);

#endif
