/* countdown.h - one allocation that fails, by its number; where OWN_ALLOCATOR says so. */
#ifndef COUNTDOWN_H
#define COUNTDOWN_H

#include "allocator.h"

#if OWN_ALLOCATOR
static long countdown; /* the allocation that fails; 0: none */

#include "shortage.h"

static bool fails(void)
{
    return countdown > 0 && --countdown == 0;
}
#endif

#endif
