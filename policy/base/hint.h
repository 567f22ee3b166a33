/* hint.h - the nearest of the words that would have been right. */
#ifndef TG_HINT_H
#define TG_HINT_H

#include "mem.h"
#include <stdbool.h>

/* Zero-initialise but for `wanted`; offer each known word; `best` is the nearest that is near
 * enough to be meant, or NULL. Words are borrowed. */
struct tg_hint {
    const char *wanted;
    const char *best;
    size_t distance;
};

void tg_hint_offer(struct tg_hint *hint, const char *known);
/* "did you mean ...?" in ARENA, with the best of HINT; NULL: there is none. */
TG_MUST_USE const char *tg_hint_text(struct tg_arena *arena, const struct tg_hint *hint);

#endif
