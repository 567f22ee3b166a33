/* store_knownhosts.h - the known-hosts files that a policy names, whose lines are read later. */
#ifndef TG_STORE_KNOWNHOSTS_H
#define TG_STORE_KNOWNHOSTS_H

#include "storing.h"

tg_store_value tg_store_known; /* struct tg_known_file * */

/* Enters PATH, absolute, as one that LOAD's rules name. NULL, or a sentence. */
TG_MUST_USE const char *tg_store_known_path(struct tg_load *load, const char *path);

#endif
