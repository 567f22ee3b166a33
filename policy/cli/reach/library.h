/*
 * library.h - the libraries that a program needs, found as the dynamic linker finds them, but by
 * reading alone: asking it (ldd) would run code of a file that perhaps nobody should run.
 */
#ifndef TG_LIBRARY_H
#define TG_LIBRARY_H

#include "trustgraft.h"
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define TG_LIBRARY_NAME 256

struct tg_library {
    char name[TG_LIBRARY_NAME]; /* as it is asked for: "libssl.so.3" */
    char path[PATH_MAX];        /* "": not found */
    size_t by;                  /* who needs it: its place in the list */
};

/* The program itself stands first. Free `item`. */
struct tg_libraries {
    struct tg_library *item;
    size_t count;
};

/* Lists PROGRAM and all that it needs, directly or not. False if memory ran out, or they are
 * more than any program has. */
TG_MUST_USE bool tg_libraries_of(const char *program, struct tg_libraries *list);

/* The first that the program needs whose name begins with PREFIX; NULL: none. */
const struct tg_library *tg_libraries_find(const struct tg_libraries *list, const char *prefix);

/* By their names, libraries of TLS that are under a policy. */
bool tg_library_reached(const struct tg_library *library);
bool tg_libraries_reached(const struct tg_libraries *list);

/* Who needs the one at INDEX: "the program", or its name. */
const char *tg_libraries_by(const struct tg_libraries *list, size_t index);

/* Whether the one at INDEX loads others while it runs. */
bool tg_libraries_load(const struct tg_libraries *list, size_t index);

/* What LIBRARY does TLS with that nothing reaches: "Mbed TLS"; NULL for all others. Static. */
const char *tg_library_foreign(const struct tg_library *library);

#endif
