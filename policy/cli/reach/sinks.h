/* sinks.h - where a policy's verdicts go, and whether those who are to write there can. */
#ifndef TG_SINKS_H
#define TG_SINKS_H

#include "health.h"
#include "policy.h"
#include "source.h"

/*
 * Tries each sink of POLICY, from ORIGIN (TG_ORIGIN_NONE: it was given with -p), as the users who
 * would log: root tries the system's policy, or one that was given, as each user that getpwent(3)
 * knows; else it is tried as this user. Nothing is written. What can't be written is told, and
 * which verdicts are lost by that.
 */
void tg_sinks_check(struct tg_health *health, const tg_policy *policy, enum tg_origin origin);

#endif
