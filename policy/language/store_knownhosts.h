/* store_knownhosts.h - the known-hosts files that a policy names, whose lines are read later. */
#ifndef TG_STORE_KNOWNHOSTS_H
#define TG_STORE_KNOWNHOSTS_H

#include "storing.h"

tg_store_value tg_store_known; /* struct tg_known_file * */

#endif
