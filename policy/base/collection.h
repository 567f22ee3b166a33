/*
 * collection.h - a file of certificates or the like, or a directory of such files: who can write
 * them is checked, and what was opened is noted, before anything in them is believed.
 */
#ifndef TG_COLLECTION_H
#define TG_COLLECTION_H

#include "blocks.h"
#include "watch.h"
#include <dirent.h>

/* Which entries of a directory are read. */
struct tg_entries {
    int (*wanted)(const struct dirent *); /* as for scandir(3) */
    const char *none;                     /* what is said where there is no such entry */
};

/* What is read, and where it goes. */
struct tg_collection {
    struct tg_arena *arena;
    const char *path;
    const struct tg_block_kind *kind;
    const struct tg_entries *entries;   /* NULL: a directory is an error */
    void *out;                          /* the argument of the kind's `take` */
    const struct tg_watching *watching; /* may be NULL */
};

/*
 * Reads the file, or the wanted files of the directory in the order of their names. NULL, or a
 * sentence, which names the entry of a directory; `out` may then have some of what was read.
 */
TG_MUST_USE const char *tg_collection_read(const struct tg_collection *collection);

#endif
