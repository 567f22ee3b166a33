/* watch.h - which files a policy was made of, and whether one of them has changed since. */
#ifndef TG_WATCH_H
#define TG_WATCH_H

#include "mem.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

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

/* What a list holds of a path, to be kept in a file. No padding. */
struct tg_watch_mark {
    uint64_t device, inode, size;
    int64_t modified, changed; /* seconds since 1970 */
    uint32_t modified_ns, changed_ns;
    uint32_t mode, owner;
    int32_t error;
    uint32_t is_folder;
};

/* Calls SEEN(ARG, PATH, MARK) for each entry of LIST. */
typedef void tg_watch_marked(void *arg, const char *path, const struct tg_watch_mark *mark);
void tg_watch_marks(const struct tg_watch *list, tg_watch_marked *seen, void *arg);

/* Notes PATH as it was when MARK was taken of it. False when memory ran out. */
TG_MUST_USE bool tg_watch_restore(const struct tg_watching *watching, const char *path,
                                  const struct tg_watch_mark *mark);

/* tg_watch_changed, with a sentence in ARENA on the first that did: which, and how. NULL: none. */
TG_MUST_USE const char *tg_watch_difference(struct tg_arena *arena, const struct tg_watch *list);

/*
 * When what LIST holds changed last (ctime, which nobody can set), for who asks whether a file that
 * was changed once more at that moment would look the same. Parent directories don't count: of
 * them no time is noted.
 */
struct timespec tg_watch_newest(const struct tg_watch *list);

#endif
