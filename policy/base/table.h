/*
 * table.h - a hash table that only grows, for what a policy is asked by: made once while the
 * policy is loaded, read by many threads from then on.
 *
 * A key is a number and a stretch of bytes. Whoever wrote the policy chose the keys; what the
 * network may choose is only what is looked up, and that costs the longest run of full slots
 * at worst, in a table never more than half full.
 */
#ifndef TG_TABLE_H
#define TG_TABLE_H

#include "mem.h"
#include "trustgraft.h"
#include <stdbool.h>

/* What a table holds: the first member of a larger struct, whose key mustn't change. */
struct tg_item {
    uint64_t tag;
    const char *text; /* any bytes; NULL only where length is 0 */
    size_t length;
};

struct tg_slot {
    uint64_t hash;
    struct tg_item *item; /* NULL: free */
};

/* Zero-initialise it. */
struct tg_table {
    struct tg_slot *slots;
    size_t capacity, count; /* the capacity is 0 or a power of two */
};

/* What items are found by: of TAG and the LENGTH bytes at TEXT. */
uint64_t tg_table_hash(uint64_t tag, const char *text, size_t length);

/* Makes room in an empty TABLE for COUNT items, so that it needn't grow. False without memory. */
TG_MUST_USE bool tg_table_reserve(struct tg_arena *arena, struct tg_table *table, size_t count);

/* The item with this key, or NULL. */
struct tg_item *tg_table_get(const struct tg_table *table, uint64_t tag, const char *text,
                             size_t length);

/* Enters ITEM, whose key isn't in the table yet. False when memory ran out: nothing has changed. */
TG_MUST_USE bool tg_table_put(struct tg_arena *arena, struct tg_table *table, struct tg_item *item);

#endif
