/* watch.h - which files a policy was made of, and whether one of them has changed since. */
#ifndef TG_WATCH_H
#define TG_WATCH_H

#include "mem.h"
#include <stdbool.h>

struct tg_watch;

/*
 * Puts PATH on the LIST (an empty one is NULL), with all entries where it is a directory, and
 * notes how each is now: call it before reading. Memory is ARENA's; a path that doesn't exist
 * is watched too. Returns false when memory ran out.
 */
bool tg_watch_add(struct tg_arena *arena, struct tg_watch **list, const char *path);

/*
 * True if a file on LIST isn't what it was: written, replaced by rename, or reached through a
 * symbolic link that now leads elsewhere. Costs one stat(2) a file; opens none.
 */
bool tg_watch_changed(const struct tg_watch *list);

#endif
