/* build.h - sections into the rules, exceptions and lists of the policy. */
#ifndef TG_BUILD_H
#define TG_BUILD_H

#include "loading.h"

/* Fills the policy from all sections, or complains. */
void tg_build_policy(struct tg_load *load);

#endif
