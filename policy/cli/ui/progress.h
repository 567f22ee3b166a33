/* progress.h - a line on a terminal that says how far something has got. */
#ifndef TG_PROGRESS_H
#define TG_PROGRESS_H

#include <stdint.h>

/*
 * Draws "[####....]  37%  TEXT" on standard error, at most ten times a second and nothing where
 * that is no terminal. TOTAL 0: unknown, and there is no bar then.
 */
void tg_progress_draw(uint64_t done, uint64_t total, const char *text);

/* Takes the line away; to be called before anything else is written to the terminal. */
void tg_progress_clear(void);

#endif
