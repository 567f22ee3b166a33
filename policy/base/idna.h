/* idna.h - the A-label of a name that was written in Unicode. */
#ifndef TG_IDNA_H
#define TG_IDNA_H

#include "mem.h"

/*
 * NAME (LENGTH bytes of UTF-8) with each label that isn't ASCII written as its A-label
 * ("xn--...", RFC 3492). For advice to a person: capitals are mapped for the Latin, Greek and
 * Cyrillic letters only, and nothing is normalised. ARENA's; NULL where there is no such name.
 */
TG_MUST_USE char *tg_host_alabels(struct tg_arena *arena, const char *name, size_t length);

#endif
