/*
 * discovery.h - path discovery (RFC 4158): over all candidates, and where none is good, why not.
 */
#ifndef TG_DISCOVERY_H
#define TG_DISCOVERY_H

#include "evaluation.h"

/*
 * Leaves in EVALUATION the best path for its leaf, and what is wrong with it. Without a path, but
 * with a finding, where the server sent more certificates than are considered. False only when
 * memory ran out.
 */
TG_MUST_USE bool tg_discover(struct tg_evaluation *evaluation);

#endif
