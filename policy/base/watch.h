/* watch.h - which files a policy was made of, and whether one of them has changed since. */
#ifndef TG_WATCH_H
#define TG_WATCH_H

#include "mem.h"
#include <stdbool.h>
#include <sys/stat.h>

struct tg_watch;

/* Where what is read is noted: a list (an empty one is NULL), and the arena of its memory. */
struct tg_watching {
    struct tg_arena *arena;
    struct tg_watch **list;
};

/*
 * Notes PATH as it is now, which may be absent; for what can't be opened first. Call it before
 * reading. Returns false when memory ran out.
 */
TG_MUST_USE bool tg_watch_add(const struct tg_watching *watching, const char *path);

/*
 * Notes PATH as the STATUS of its descriptor, before that is read: so a file that was only in
 * the path's place while it was opened is noticed as well. WATCHING may be NULL: true.
 */
TG_MUST_USE bool tg_watch_opened(const struct tg_watching *watching, const char *path,
                                 const struct stat *status);

/*
 * Notes the directory PATH, absolute and free of symbolic links, on the way to what is read, once:
 * which one it is, and its owner and mode, all as in STATUS. WATCHING may be NULL: true.
 */
TG_MUST_USE bool tg_watch_folder(const struct tg_watching *watching, const char *path,
                                 const struct stat *status);

/*
 * True if a file on LIST isn't what it was: written, replaced by rename, or reached through a
 * symbolic link that now leads elsewhere; or a directory on the way. Costs one stat(2) a file;
 * opens none.
 */
TG_MUST_USE bool tg_watch_changed(const struct tg_watch *list);

/*
 * True if a file on LIST was read empty, and became so two or three seconds ago at most: perhaps
 * one that an editor or a shell is about to fill.
 */
TG_MUST_USE bool tg_watch_emptied(const struct tg_watch *list);

/* Calls SEEN(ARG, PATH) for each path on LIST that is read, once where it stands there several
 * times. */
typedef void tg_watch_seen(void *arg, const char *path);
void tg_watch_each(const struct tg_watch *list, tg_watch_seen *seen, void *arg);

#endif
