/* tally.h - what the scenarios of app.c count. */
#ifndef TALLY_H
#define TALLY_H

#include "pair.h"
#include <stdatomic.h>

/* What came of several connections: the same for all, or the word "mixed". */
struct tally {
    atomic_int count[BROKEN + 1];
};

static inline void tally_add(struct tally *tally, enum outcome outcome)
{
    atomic_fetch_add(&tally->count[outcome], 1);
}

#endif
