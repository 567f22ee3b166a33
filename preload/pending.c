/* pending.c - a slot for each request; what it points to is the program's, and may be gone. */
#include "pending.h"
#include "slot.h"
#include <sched.h>
#include <string.h>

#define MOST     256
#define PATIENCE 200 /* with another thread that is writing */

struct pending {
    uint64_t request; /* 0: it has ended */
    char name[TG_INJECT_NAME_SIZE];
};
#define WORDS (sizeof(struct pending) / sizeof(uint64_t))
_Static_assert(sizeof(struct pending) % sizeof(uint64_t) == 0, "whole words");

union record {
    struct pending pending;
    uint64_t words[WORDS];
};

static tg_slot_word slots[MOST][1 + WORDS];
static atomic_bool any, lost; /* lost: one found no slot */

/* False: it is being written, for ever so in a child that was forked in between. */
static bool read_slot(const tg_slot_word *slot, union record *record, uint64_t *sequence)
{
    for (unsigned i = 0; i < PATIENCE; i++) {
        *sequence = tg_slot_read(slot, record->words, WORDS);
        if (*sequence != 0)
            return true;
        if (tg_slot_empty(slot)) {
            record->pending.request = 0;
            return true;
        }
        if (i > PATIENCE / 2)
            (void)sched_yield();
    }
    return false;
}

void tg_pending_begin(const void *request, const char *name)
{
    union record record, old;
    uint64_t sequence;

    memset(&record, 0, sizeof(record));
    record.pending.request = (uint64_t)(uintptr_t)request;
    memcpy(record.pending.name, name, strlen(name) + 1);
    atomic_store(&any, true);
    for (size_t i = 0; i < MOST; i++)
        if (read_slot(slots[i], &old, &sequence) && old.pending.request == 0 &&
            tg_slot_replace(slots[i], record.words, WORDS, sequence, sequence + 2))
            return;
    atomic_store(&lost, true);
}

void tg_pending_end(const void *request, const char *name)
{
    static const union record none;
    union record old;
    uint64_t sequence;

    for (size_t i = 0; i < MOST && atomic_load(&any) && name != NULL; i++)
        if (read_slot(slots[i], &old, &sequence) &&
            old.pending.request == (uint64_t)(uintptr_t)request &&
            strcmp(old.pending.name, name) == 0)
            (void)tg_slot_replace(slots[i], none.words, WORDS, sequence, sequence + 2);
}

bool tg_pending_find(void (*add)(struct tg_inject_names *out, const char *name),
                     struct tg_inject_names *out)
{
    bool all = !atomic_load(&lost);
    union record record;
    uint64_t sequence;

    for (size_t i = 0; i < MOST && atomic_load(&any); i++) {
        if (!read_slot(slots[i], &record, &sequence))
            all = false;
        else if (record.pending.request != 0)
            add(out, record.pending.name);
    }
    return all;
}
