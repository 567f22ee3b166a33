/*
 * registry.h - what is kept for objects of a library that has no place of its own for it, by their
 * addresses. Safe in threads; a fork in the middle of a change costs its child that one item.
 */
#ifndef TG_REGISTRY_H
#define TG_REGISTRY_H

#include "trustgraft.h"
#include "turn.h"
#include <stddef.h>

#define TG_REGISTRY_BUCKETS 512

struct tg_registered;

/* Initialise SIZE, of an item, alone. */
struct tg_registry {
    size_t size;
    tg_turn turn;
    struct tg_registered *_Atomic buckets[TG_REGISTRY_BUCKETS];
};

/* The item of KEY, which lives until it is taken away; NULL: none. */
void *tg_registry_find(struct tg_registry *registry, const void *key);

/* The same; made, all zeros, where there is none. NULL: no memory. */
TG_MUST_USE void *tg_registry_make(struct tg_registry *registry, const void *key);

/* The item of KEY is no longer found, and is the caller's: to be given to tg_registry_free. */
TG_MUST_USE void *tg_registry_take(struct tg_registry *registry, const void *key);
void tg_registry_free(void *item); /* NULL is fine */

#endif
