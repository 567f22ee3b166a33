/*
 * memo.h - what was made on demand, to be found again: it only grows, and takes no lock, which
 * would stay locked in a child that was forked meanwhile.
 */
#ifndef TG_MEMO_H
#define TG_MEMO_H

#include "trustgraft.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { TG_MEMO_LISTS = 1024 };

/* The first member of a larger struct. */
struct tg_memo_item {
    struct tg_memo_item *next;
    uint64_t tag;
    const char *text; /* any bytes; NULL only where length is 0 */
    size_t length;
};

/* Zero-initialise it. */
struct tg_memo {
    struct tg_memo_item *_Atomic list[TG_MEMO_LISTS];
    atomic_size_t count;
};

/* The item with this key, or NULL. */
struct tg_memo_item *tg_memo_get(struct tg_memo *memo, uint64_t tag, const char *text,
                                 size_t length);

/* Enters ITEM, and returns it; or the one of its key that another thread entered first. */
struct tg_memo_item *tg_memo_put(struct tg_memo *memo, struct tg_memo_item *item);

/* Empties it: RELEASE is called for each item. For one thread, the last. */
void tg_memo_clear(struct tg_memo *memo, void (*release)(struct tg_memo_item *item));

#endif
