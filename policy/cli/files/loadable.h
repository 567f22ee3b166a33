/*
 * loadable.h - a library that is loaded where it is needed: linked, it and all that it needs would
 * be loaded at each `trustgraft run` too.
 */
#ifndef TG_LOADABLE_H
#define TG_LOADABLE_H

#include "text.h"
#include "trustgraft.h"

/* What it is, for dlopen(3) and in complaints. */
struct tg_loadable {
    const char *file;   /* "libcurl.so.4"; NULL: it is linked into the command, and exported */
    const char *called; /* "libcurl" */
    const char *need;   /* "downloads need libcurl (Debian: libcurl4)" */
};

/* A function of it, by the name that it has there, and the pointer that it goes to. */
struct tg_loadable_function {
    const char *name;
    void *pointer;
};

/* Loads it for good and sets the pointers of its COUNT FUNCTIONS. False with a sentence in WHY. */
TG_MUST_USE bool tg_loadable_open(const struct tg_loadable *library,
                                  const struct tg_loadable_function *functions, size_t count,
                                  struct tg_buf *why);

#endif
