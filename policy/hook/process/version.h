/*
 * version.h - reads a version of the policy, whole or not at all, and says what is wrong with one
 * that is broken: once, not at each look.
 */
#ifndef TG_VERSION_H
#define TG_VERSION_H

#include "snapshot.h"

/*
 * The first version: fills *PROCESS but for its policy, which is returned, and the caller's.
 * NULL: there is none, and PROCESS->problem says why; no problem: there is no policy anywhere. To
 * be called once.
 */
TG_MUST_USE tg_policy *tg_version_first(struct tg_process *process);

/*
 * The version that came after that of PROCESS, for the caller to free. NULL: it isn't to be used,
 * as it is *BROKEN, or changes just now and the next look reads it once more. For one thread at a
 * time.
 */
TG_MUST_USE tg_policy *tg_version_next(const struct tg_process *process, bool *broken);

#endif
