#include "pool.h"
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Before each item. */
struct tg_pool_slot {
    _Alignas(max_align_t) const void *_Atomic owner; /* NULL: spare */
    struct tg_pool_slot *next;                       /* of those that are spare */
};

/* Before its slots; each chunk has twice as many as the one before, so there are few chunks. */
struct tg_chunk {
    _Alignas(max_align_t) struct tg_chunk *next;
    size_t count;
};

#define FIRST_COUNT 16

/* By how much 1 is shifted for the bytes from one slot to the next: a handshake asks some 250 times
 * where a pointer lies, and a division is dear. */
static unsigned shift_of(const struct tg_pool *pool)
{
    size_t needed = sizeof(struct tg_pool_slot) + pool->size;

    return (unsigned)(sizeof(unsigned long) * CHAR_BIT) - (unsigned)__builtin_clzl(needed - 1);
}

static struct tg_pool_slot *slot_at(const struct tg_pool *pool, const struct tg_chunk *chunk,
                                    size_t number)
{
    return (struct tg_pool_slot *)((char *)(chunk + 1) + (number << shift_of(pool)));
}

/* A fork may come between any two lines: at worst its child has a chunk less. */
static bool grow(struct tg_pool *pool)
{
    struct tg_chunk *last = atomic_load_explicit(&pool->chunks, memory_order_relaxed);
    size_t count = last != NULL ? last->count * 2 : FIRST_COUNT;
    struct tg_chunk *chunk = NULL;

    if (count > (SIZE_MAX - sizeof(*chunk)) >> shift_of(pool))
        return false;
    chunk = calloc(1, sizeof(*chunk) + (count << shift_of(pool)));
    if (chunk == NULL)
        return false;
    chunk->count = count;
    chunk->next = last;
    for (size_t i = 0; i + 1 < count; i++)
        slot_at(pool, chunk, i)->next = slot_at(pool, chunk, i + 1);
    atomic_store_explicit(&pool->chunks, chunk, memory_order_release);
    tg_turn_step();
    pool->spare = slot_at(pool, chunk, 0);
    return true; // cppcheck-suppress memleak ; the pool has it
}

void *tg_pool_take(struct tg_pool *pool, const void *owner)
{
    struct tg_pool_slot *slot = NULL;
    bool taken = tg_turn_take(&pool->turn);

    if (pool->spare != NULL || grow(pool)) {
        slot = pool->spare;
        pool->spare = slot->next;
    }
    tg_turn_give(&pool->turn, taken);
    if (slot == NULL)
        return NULL;
    memset(slot + 1, 0, pool->size);
    atomic_store_explicit(&slot->owner, owner, memory_order_release);
    return slot + 1;
}

static struct tg_pool_slot *before(void *item)
{
    return (struct tg_pool_slot *)item - 1;
}

void tg_pool_pass(void *item, const void *owner)
{
    atomic_store_explicit(&before(item)->owner, owner, memory_order_release);
}

void tg_pool_give(struct tg_pool *pool, void *item)
{
    bool taken;

    if (item == NULL)
        return;
    tg_pool_pass(item, NULL);
    taken = tg_turn_take(&pool->turn);
    before(item)->next = pool->spare;
    tg_turn_step();
    pool->spare = before(item);
    tg_turn_give(&pool->turn, taken);
}

/* Of the item that POINTER is, else NULL. */
static const struct tg_pool_slot *slot_of(const struct tg_pool *pool, const void *pointer)
{
    uintptr_t wanted = (uintptr_t)pointer;
    unsigned shift = shift_of(pool);

    for (const struct tg_chunk *chunk = atomic_load_explicit(&pool->chunks, memory_order_acquire);
         chunk != NULL; chunk = chunk->next) {
        uintptr_t first = (uintptr_t)(slot_at(pool, chunk, 0) + 1), offset = wanted - first;

        if (wanted >= first && offset >> shift < chunk->count &&
            (offset & (((uintptr_t)1 << shift) - 1)) == 0)
            return slot_at(pool, chunk, offset >> shift);
    }
    return NULL;
}

static bool is_of(const struct tg_pool_slot *slot, const void *owner)
{
    return atomic_load_explicit(&slot->owner, memory_order_acquire) == owner;
}

bool tg_pool_has(const struct tg_pool *pool, const void *pointer)
{
    const struct tg_pool_slot *slot = slot_of(pool, pointer);

    return slot != NULL && !is_of(slot, NULL);
}

void *tg_pool_item(const struct tg_pool *pool, void *pointer, const void *owner)
{
    const struct tg_pool_slot *slot = slot_of(pool, pointer);

    return slot != NULL && owner != NULL && is_of(slot, owner) ? pointer : NULL;
}

void *tg_pool_find(const struct tg_pool *pool, const void *owner)
{
    const struct tg_chunk *chunk = NULL;

    if (owner == NULL)
        return NULL;
    for (chunk = atomic_load_explicit(&pool->chunks, memory_order_acquire); chunk != NULL;
         chunk = chunk->next)
        for (size_t i = 0; i < chunk->count; i++)
            if (is_of(slot_at(pool, chunk, i), owner))
                return slot_at(pool, chunk, i) + 1;
    return NULL;
}
