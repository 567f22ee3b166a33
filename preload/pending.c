/* pending.c - a slot for each request; what it points to is the program's, and may be gone. */
#include "pending.h"
#include "names.h"
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

    if (!tg_names_is_name(name))
        return;
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

void tg_pending_find(struct tg_inject_names *out)
{
    struct tg_inject_names one = {.count = 1};
    union record record;
    uint64_t sequence;

    for (size_t i = 0; i < MOST && atomic_load(&any); i++) {
        if (!read_slot(slots[i], &record, &sequence)) {
            out->more = true;
        } else if (record.pending.request != 0) {
            memcpy(one.name[0], record.pending.name, sizeof(one.name[0]));
            tg_names_join(out, &one);
        }
    }
    out->more = out->more || atomic_load(&lost);
}
