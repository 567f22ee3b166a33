/* remember.h - hosts that a sweep has accepted, remembered with their keys. */
#ifndef TG_REMEMBER_H
#define TG_REMEMBER_H

#include "sweep.h"

/*
 * Adds the accepted hosts of SWEEP, which has ended, to the known-hosts file PATH, and appends a
 * line about it to OUT. A host that is known by another key is left as it is, after a complaint.
 * Returns the exit code of that part.
 */
int tg_remember(const struct tg_sweep *sweep, const char *path, struct tg_buf *out);

#endif
