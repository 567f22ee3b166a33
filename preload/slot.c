/* slot.c - a sequence lock: odd while a record is being written. */
#include "slot.h"
#include <sched.h>

#define PATIENCE 50 /* a write takes below a microsecond, but its thread may have to wait */

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

uint64_t tg_slot_wait(const tg_slot_word *slot, uint64_t *record, size_t count, bool *busy)
{
    uint64_t sequence = tg_slot_read(slot, record, count);

    for (int i = 0; i < PATIENCE && sequence == 0; i++) {
        if (atomic_load_explicit(&slot[0], memory_order_relaxed) == 0)
            break;
        if (i > 0)
            (void)sched_yield();
        sequence = tg_slot_read(slot, record, count);
    }
    *busy = sequence == 0 && atomic_load_explicit(&slot[0], memory_order_relaxed) != 0;
    return sequence;
}

bool tg_slot_replace(tg_slot_word *slot, uint64_t held, const uint64_t *record, size_t count,
                     uint64_t sequence)
{
    if (!atomic_compare_exchange_strong(&slot[0], &held, sequence - 1))
        return false;
    /* Each store is a release, so that none is seen before the odd sequence is. */
    for (size_t i = 0; i < count; i++)
        atomic_store_explicit(&slot[1 + i], record[i], memory_order_release);
    atomic_store_explicit(&slot[0], sequence, memory_order_release);
    return true;
}

bool tg_slot_write(tg_slot_word *slot, const uint64_t *record, size_t count, uint64_t sequence)
{
    uint64_t found = atomic_load_explicit(&slot[0], memory_order_relaxed);

    return !(found & 1) && found < sequence &&
           tg_slot_replace(slot, found, record, count, sequence);
}
