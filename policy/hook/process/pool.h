/*
 * pool.h - items of one size, each of one owner, of which a pointer tells whether it is one:
 * without looking at what it points to, and whatever that is. Their memory is used again, but never
 * freed. All is safe in threads, and across a fork.
 */
#ifndef TG_POOL_H
#define TG_POOL_H

#include "trustgraft.h"
#include "turn.h"
#include <stddef.h>

struct tg_chunk;
struct tg_pool_slot;

/* Initialise SIZE, of an item, alone. */
struct tg_pool {
    size_t size;
    tg_turn turn;
    struct tg_chunk *_Atomic chunks;
    struct tg_pool_slot *spare;
};

/* An item, all zeros, of OWNER (not NULL); NULL: no memory. */
TG_MUST_USE void *tg_pool_take(struct tg_pool *pool, const void *owner);

/* ITEM is OWNER's (not NULL) from now on. */
void tg_pool_pass(void *item, const void *owner);

/* Takes ITEM (may be NULL) back. */
void tg_pool_give(struct tg_pool *pool, void *item);

/* True if POINTER, which may be any, is an item that is taken. */
bool tg_pool_has(const struct tg_pool *pool, const void *pointer);

/* POINTER, which may be any, if it is an item of OWNER's; else NULL. */
void *tg_pool_item(const struct tg_pool *pool, void *pointer, const void *owner);

/* The item of OWNER's (may be NULL), wherever the pointer to it went; NULL: none. Looks at each. */
void *tg_pool_find(const struct tg_pool *pool, const void *owner);

#endif
