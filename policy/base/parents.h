/*
 * parents.h - the parent directories of a file and of the symbolic links to it: who can write one
 * decides what stands there, whoever owns the file itself (as sshd_config(5), StrictModes).
 */
#ifndef TG_PARENTS_H
#define TG_PARENTS_H

#include "watch.h"

/*
 * Checks each directory in which something is looked up while PATH, absolute or relative to the
 * working directory, is resolved (path_resolution(7)), those of symbolic links and behind them
 * too: it has to belong to root or the effective user, and nobody else may write it; a sticky one
 * they may, where what is looked up belongs to these. PATH's target itself is not looked at. Each
 * directory is noted in WATCHING, which may be NULL. NULL, or a sentence in ARENA, also where the
 * way leads nowhere.
 */
TG_MUST_USE const char *tg_parents_check(struct tg_arena *arena, const char *path,
                                         const struct tg_watching *watching);

#endif
