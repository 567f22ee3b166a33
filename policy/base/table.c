#include "table.h"
#include <string.h>

enum { FIRST_CAPACITY = 16 };

/* FNV-1a, whose low bits are then mixed well by MurmurHash3's last step. */
uint64_t tg_table_hash(uint64_t tag, const char *text, size_t length)
{
    uint64_t hash = 0xCBF29CE484222325u ^ tag * 0x9E3779B97F4A7C15u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001B3u;
    hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCDu;
    hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53u;
    return hash ^ hash >> 33;
}

struct tg_item *tg_table_get(const struct tg_table *table, uint64_t tag, const char *text,
                             size_t length)
{
    uint64_t hash = tg_table_hash(tag, text, length);
    size_t last = table->capacity - 1;

    if (table->capacity == 0)
        return NULL;
    for (size_t at = hash & last; table->slots[at].item != NULL; at = (at + 1) & last) {
        struct tg_item *item = table->slots[at].item;

        if (table->slots[at].hash == hash && item->tag == tag && item->length == length &&
            (length == 0 || memcmp(item->text, text, length) == 0))
            return item;
    }
    return NULL;
}

static void place(struct tg_slot *slots, size_t capacity, struct tg_slot slot)
{
    size_t at = slot.hash & (capacity - 1);

    while (slots[at].item != NULL)
        at = (at + 1) & (capacity - 1);
    slots[at] = slot;
}

static bool make_slots(struct tg_arena *arena, size_t capacity, struct tg_slot **slots)
{
    *slots = NULL;
    if (capacity <= SIZE_MAX / 2 / sizeof(**slots))
        *slots = tg_arena_alloc(arena, capacity * sizeof(**slots));
    return *slots != NULL;
}

bool tg_table_reserve(struct tg_arena *arena, struct tg_table *table, size_t count)
{
    size_t capacity = FIRST_CAPACITY;

    while (capacity / 2 < count)
        capacity *= 2;
    if (!make_slots(arena, capacity, &table->slots))
        return false;
    table->capacity = capacity;
    return true;
}

/* The slots left behind are the arena's: all of them together are fewer than the new ones. */
static bool grow(struct tg_arena *arena, struct tg_table *table)
{
    size_t capacity = table->capacity ? table->capacity * 2 : FIRST_CAPACITY;
    struct tg_slot *slots;

    if (!make_slots(arena, capacity, &slots))
        return false;
    for (size_t i = 0; i < table->capacity; i++)
        if (table->slots[i].item != NULL)
            place(slots, capacity, table->slots[i]);
    table->slots = slots;
    table->capacity = capacity;
    return true;
}

bool tg_table_put(struct tg_arena *arena, struct tg_table *table, struct tg_item *item)
{
    uint64_t hash = tg_table_hash(item->tag, item->text, item->length);

    if ((table->count + 1) * 2 > table->capacity && !grow(arena, table))
        return false;
    place(table->slots, table->capacity, (struct tg_slot){hash, item});
    table->count++;
    return true;
}
