/*
 * replace.h - a text file that is changed as a whole: whoever reads it sees the old text or the
 * new one, and a crash, a full disk or Ctrl-C leaves the old.
 */
#ifndef TG_REPLACE_H
#define TG_REPLACE_H

#include "text.h"
#include "trustgraft.h"
#include <limits.h>
#include <sys/stat.h>

/* Zero-initialise; whatever begin returned, tg_replace_end it. */
struct tg_replace {
    char path[PATH_MAX]; /* with symbolic links followed, so that they stay */
    int lock;            /* the open file, locked; counts where `exists` */
    bool exists;
    struct stat status; /* as it was read */
    struct tg_buf text; /* what it holds; empty where it doesn't exist */
};

/*
 * Reads PATH, which may not exist yet in a folder that does, and locks it against others that use
 * this and may change it. False with a sentence in WHY that doesn't name PATH: it is no regular
 * file, holds more than MOST bytes, is locked...
 */
TG_MUST_USE bool tg_replace_begin(struct tg_replace *file, const char *path, size_t most,
                                  struct tg_buf *why);

/* The same for what programs are to trust: it is an error that another user can write it, or a
 * folder on the way there. */
TG_MUST_USE bool tg_replace_begin_own(struct tg_replace *file, const char *path, size_t most,
                                      struct tg_buf *why);

/*
 * Puts TEXT in its place: written beside it, with its mode and owner, synced, then renamed. False
 * with a sentence, and the old file as it was: the disk is full, the file was changed since
 * it was read...
 */
TG_MUST_USE bool tg_replace_commit(struct tg_replace *file, const struct tg_buf *text,
                                   struct tg_buf *why);

void tg_replace_end(struct tg_replace *file);

#endif
