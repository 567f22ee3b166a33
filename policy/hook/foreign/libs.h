/* libs.h - the libraries of one kind that a process has loaded, each found once. */
#ifndef TG_LIBS_H
#define TG_LIBS_H

#include "object.h"
#include <pthread.h>

/* More of a kind in one process aren't told apart. */
#define TG_LIBS 4

/* Slots are taken in order, and never given back. Initialise by TG_LIBS_INIT. */
struct tg_libs {
    struct tg_lib_slot {
        const void *_Atomic object; /* where that library is loaded */
        const char *missing;
        pthread_once_t once;
        bool usable;
    } slots[TG_LIBS];
    /* Fills in what belongs to slot number SLOT from OBJECT. False: *MISSING is what it lacks. */
    bool (*fill)(void *object, const void *identity, unsigned slot, const char **missing);
};

#define TG_LIBS_INIT(function)                                                                     \
    {                                                                                              \
        .slots = {{.once = PTHREAD_ONCE_INIT},                                                     \
                  {.once = PTHREAD_ONCE_INIT},                                                     \
                  {.once = PTHREAD_ONCE_INIT},                                                     \
                  {.once = PTHREAD_ONCE_INIT}},                                                    \
        .fill = (function)                                                                         \
    }

/*
 * The number of the slot of the library that ADDRESS lies in; -1 if it can't be worked with:
 * *MISSING is then what it lacks, or NULL if there are too many. Safe in threads and after fork.
 */
TG_MUST_USE int tg_libs_at(struct tg_libs *libs, const void *address, const char **missing);

#endif
