/*
 * readable.h - memory that a program hands to the kernel. It may be anywhere: where the kernel
 * would answer EFAULT, looking at it must not end the program. Async-signal-safe; preserves errno.
 */
#ifndef TG_READABLE_H
#define TG_READABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tg_readable {
    uintptr_t page; /* that was found readable last, so that it isn't asked for again; 0: none */
    bool all;       /* the kernel has just read all of it itself */
};

/* Copies LENGTH bytes at FROM to OUT, or as many as can be read; returns how many. */
size_t tg_readable_copy(struct tg_readable *known, void *out, const void *from, size_t length);

#endif
