/* slot.c - a sequence lock: odd while a record is being written. */
#include "slot.h"

uint64_t tg_slot_read(const tg_slot_word *slot, uint64_t *record, size_t count)
{
    uint64_t before = atomic_load_explicit(&slot[0], memory_order_acquire);

    if (before & 1)
        return 0;
    /* Each load is an acquire, so that the second look at the sequence comes after them. */
    for (size_t i = 0; i < count; i++)
        record[i] = atomic_load_explicit(&slot[1 + i], memory_order_acquire);
    uint64_t after = atomic_load_explicit(&slot[0], memory_order_relaxed);
    return before == after ? before : 0;
}

bool tg_slot_replace(tg_slot_word *slot, const uint64_t *record, size_t count, uint64_t found,
                     uint64_t sequence)
{
    if (found & 1 || found >= sequence)
        return false;
    if (!atomic_compare_exchange_strong(&slot[0], &found, sequence - 1))
        return false;
    /* Each store is a release, so that none is seen before the odd sequence is. */
    for (size_t i = 0; i < count; i++)
        atomic_store_explicit(&slot[1 + i], record[i], memory_order_release);
    atomic_store_explicit(&slot[0], sequence, memory_order_release);
    return true;
}

bool tg_slot_write(tg_slot_word *slot, const uint64_t *record, size_t count, uint64_t sequence)
{
    return tg_slot_replace(slot, record, count,
                           atomic_load_explicit(&slot[0], memory_order_relaxed), sequence);
}

uint64_t tg_slot_newest(const tg_slot_word *slot)
{
    uint64_t sequence = atomic_load_explicit(&slot[0], memory_order_acquire);

    return sequence + (sequence & 1);
}

bool tg_slot_empty(const tg_slot_word *slot)
{
    return atomic_load_explicit(&slot[0], memory_order_relaxed) == 0;
}
