#include "registry.h"
#include <stdlib.h>

/* Before each item. */
struct tg_registered {
    _Alignas(max_align_t) struct tg_registered *_Atomic next;
    const void *key;
};

typedef struct tg_registered *_Atomic link_to;

static link_to *bucket_of(struct tg_registry *registry, const void *key)
{
    uint64_t hash = (uint64_t)(uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15);

    return &registry->buckets[(hash >> 32) % TG_REGISTRY_BUCKETS];
}

/* Where the one of KEY hangs, or the end of the bucket. */
static link_to *link_of(struct tg_registry *registry, const void *key)
{
    link_to *link = bucket_of(registry, key);
    struct tg_registered *at = NULL;

    while ((at = atomic_load_explicit(link, memory_order_acquire)) != NULL && at->key != key)
        link = &at->next;
    return link;
}

static void *item_of(struct tg_registered *at)
{
    return at != NULL ? at + 1 : NULL;
}

void *tg_registry_find(struct tg_registry *registry, const void *key)
{
    bool taken = tg_turn_take(&registry->turn);
    void *item = item_of(atomic_load(link_of(registry, key)));

    tg_turn_give(&registry->turn, taken);
    return item;
}

void *tg_registry_make(struct tg_registry *registry, const void *key)
{
    bool taken = tg_turn_take(&registry->turn);
    struct tg_registered *at = atomic_load(link_of(registry, key));
    link_to *bucket = bucket_of(registry, key);

    if (at == NULL && (at = calloc(1, sizeof(*at) + registry->size)) != NULL) {
        at->key = key;
        atomic_store(&at->next, atomic_load(bucket));
        atomic_store(bucket, at);
    }
    tg_turn_give(&registry->turn, taken);
    return item_of(at); // cppcheck-suppress memleak ; the registry has it
}

void *tg_registry_take(struct tg_registry *registry, const void *key)
{
    bool taken = tg_turn_take(&registry->turn);
    link_to *link = link_of(registry, key);
    struct tg_registered *at = atomic_load(link);

    if (at != NULL)
        atomic_store(link, atomic_load(&at->next));
    tg_turn_give(&registry->turn, taken);
    return item_of(at);
}

void tg_registry_free(void *item)
{
    if (item != NULL)
        free((struct tg_registered *)item - 1);
}
