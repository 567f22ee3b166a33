/* begun.c - one slot for a descriptor; what was begun counts as long as its socket leads there. */
#include "begun.h"
#include "ends.h"
#include "slot.h"
#include <errno.h>
#include <string.h>

#define DESCRIPTORS 1024 /* those from there on share a slot */

enum { HANDSHAKE = 22, CLIENT_HELLO = 1, MESSAGE = 5, RANDOM = 11 }; /* as in hellos.c */

struct begun {
    struct sockaddr_storage peer;
    uint64_t descriptor, known; /* as many bytes of the random */
    uint8_t random[TG_INJECT_RANDOM_SIZE];
};
#define WORDS (sizeof(struct begun) / sizeof(uint64_t))
_Static_assert(sizeof(struct begun) % sizeof(uint64_t) == 0, "whole words");

union record {
    struct begun begun;
    uint64_t words[WORDS];
};

static tg_slot_word slots[DESCRIPTORS][1 + WORDS];
static atomic_bool any, lost;

bool tg_begun_is(const uint8_t *data, size_t length)
{
    return length > 0 && length < RANDOM + TG_INJECT_RANDOM_SIZE && data[0] == HANDSHAKE &&
           (length < 2 || data[1] == 3) && (length <= MESSAGE || data[MESSAGE] == CLIENT_HELLO);
}

static uint64_t in_common(const struct begun *one, const struct begun *other)
{
    uint64_t known = 0;

    while (known < one->known && known < other->known && one->random[known] == other->random[known])
        known++;
    return known;
}

void tg_begun_note(int descriptor, const struct sockaddr_storage *peer, const uint8_t *data,
                   size_t length)
{
    tg_slot_word *slot = slots[(unsigned)descriptor % DESCRIPTORS];
    union record record, old;
    uint64_t sequence = tg_slot_read(slot, old.words, WORDS);

    memset(&record, 0, sizeof(record));
    record.begun.peer = *peer;
    record.begun.descriptor = (uint64_t)descriptor;
    record.begun.known = length > RANDOM ? length - RANDOM : 0;
    if (record.begun.known > 0)
        memcpy(record.begun.random, data + RANDOM, record.begun.known);
    /* Of two that began at one place, what they have in common. */
    if (sequence != 0 && memcmp(&old.begun, &record.begun, offsetof(struct begun, known)) == 0)
        record.begun.known = in_common(&old.begun, &record.begun);
    atomic_store(&any, true);
    if ((sequence != 0 && old.begun.descriptor != (uint64_t)descriptor) ||
        !tg_slot_replace(slot, record.words, WORDS, sequence, sequence + 2))
        atomic_store(&lost, true);
}

/* False once it is known to lead elsewhere, or to be closed. */
static bool leads_there(const struct begun *begun)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof(peer);

    memset(&peer, 0, sizeof(peer));
    if (getpeername((int)begun->descriptor, (struct sockaddr *)&peer, &length) != 0)
        return errno == ENOTCONN;
    return memcmp(&peer, &begun->peer, sizeof(peer)) == 0;
}

static bool is_there(const struct sockaddr_storage *peer, const struct tg_inject_end *ends,
                     unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (memcmp(&ends[i].address, peer, sizeof(*peer)) == 0)
            return true;
    return false;
}

unsigned tg_begun_add(const uint8_t random[TG_INJECT_RANDOM_SIZE], struct tg_inject_end *ends,
                      unsigned room, unsigned count)
{
    union record record;
    const struct begun *begun = &record.begun;
    int saved = errno;

    for (size_t i = 0; i < DESCRIPTORS && atomic_load(&any) && count <= room; i++) {
        if (tg_slot_read(slots[i], record.words, WORDS) == 0) {
            if (!tg_slot_empty(slots[i]))
                count = room + 1; /* it is being written */
        } else if (memcmp(begun->random, random, begun->known) == 0 && leads_there(begun) &&
                   !is_there(&begun->peer, ends, count)) {
            if (count < room) {
                ends[count].address = begun->peer;
                tg_ends_names((int)begun->descriptor, (const struct sockaddr *)&begun->peer,
                              sizeof(begun->peer), &ends[count].names);
            }
            count++;
        }
    }
    errno = saved;
    return atomic_load(&lost) ? room + 1 : count;
}
