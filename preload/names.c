/*
 * names.c - a hash table of (address, name). A fixed size bounds the memory, whatever a name
 * server answers; what is pushed out leaves a mark, so that nobody takes the rest for all.
 */
#include "names.h"
#include "slot.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define SETS       1024
#define WAYS       8
#define ATTEMPTS   16
#define PER_LOOKUP 64 /* of one answer's addresses, so that none pushes out all others */

struct entry {
    uint8_t address[16];
    char name[TG_INJECT_NAME_SIZE];
};
#define WORDS (sizeof(struct entry) / sizeof(uint64_t))
_Static_assert(sizeof(struct entry) % sizeof(uint64_t) == 0, "an entry is whole words");

union record {
    struct entry entry;
    uint64_t words[WORDS];
};

static tg_slot_word slots[SETS][WAYS][1 + WORDS];
static atomic_bool crowded[SETS]; /* some name of this set was lost */
static _Atomic uint64_t newest;

static void map_ipv4(uint8_t out[16], const void *address)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

    memcpy(out, prefix, sizeof(prefix));
    memcpy(out + sizeof(prefix), address, 4);
}

bool tg_names_address(uint8_t out[16], const struct sockaddr *address, socklen_t length)
{
    if (address == NULL)
        return false;
    if (address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        map_ipv4(out, &((const struct sockaddr_in *)address)->sin_addr);
        return true;
    }
    if (address->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        memcpy(out, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
        return true;
    }
    return false;
}

/* A literal isn't a name: it is the address. */
static bool is_name(const char *text)
{
    struct in_addr ignored;

    if (text == NULL || *text == '\0' || strlen(text) >= TG_INJECT_NAME_SIZE)
        return false;
    return strchr(text, ':') == NULL && inet_aton(text, &ignored) == 0;
}

static size_t set_of(const uint8_t address[16])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < 16; i++)
        hash = (hash ^ address[i]) * UINT64_C(0x100000001b3);
    return (hash * UINT64_C(0x9e3779b97f4a7c15) >> 40) % SETS;
}

/* Where a record goes. */
struct place {
    tg_slot_word *way; /* NULL: other threads are in each of them */
    uint64_t held;     /* by it; 0: it is empty */
    bool same;         /* that is the record itself */
    bool newest;       /* and the newest of its set */
};

/* The way that holds what RECORD says, else the oldest or an empty one. */
static struct place place_for(const union record *record, size_t set)
{
    struct place place = {.held = UINT64_MAX};
    uint64_t top = 0;
    union record old;

    for (size_t way = 0; way < WAYS; way++) {
        bool busy;
        uint64_t sequence = tg_slot_wait(slots[set][way], old.words, WORDS, &busy);
        bool same = sequence != 0 && memcmp(&old, record, sizeof(old)) == 0;

        top = sequence > top ? sequence : top;
        if (!busy && (same || (!place.same && sequence < place.held)))
            place = (struct place){.way = slots[set][way], .held = sequence, .same = same};
    }
    place.newest = place.same && place.held == top;
    return place;
}

/* Two threads may want the same way: who comes second looks for another. */
static void remember(const union record *record)
{
    size_t set = set_of(record->entry.address);

    for (int i = 0; i < ATTEMPTS; i++) {
        struct place place = place_for(record, set);
        uint64_t ticket = atomic_fetch_add_explicit(&newest, 1, memory_order_relaxed) + 1;

        if (place.newest)
            return;
        if (place.way == NULL)
            break;
        if (place.held != 0 && !place.same)
            atomic_store_explicit(&crowded[set], true, memory_order_release);
        if (tg_slot_replace(place.way, place.held, record->words, WORDS, ticket * 2))
            return;
    }
    atomic_store_explicit(&crowded[set], true, memory_order_release);
}

static void begin(union record *record, const char *name)
{
    memset(record, 0, sizeof(*record));
    memcpy(record->entry.name, name, strlen(name) + 1);
}

void tg_names_add_addrinfo(const char *name, const struct addrinfo *list)
{
    union record record;

    if (!is_name(name))
        return;
    begin(&record, name);
    for (int left = PER_LOOKUP; list != NULL && left > 0; list = list->ai_next) {
        if (!tg_names_address(record.entry.address, list->ai_addr, list->ai_addrlen))
            continue;
        remember(&record);
        left--;
    }
}

void tg_names_add_hostent(const char *name, const struct hostent *entry)
{
    union record record;

    if (entry == NULL || !is_name(name))
        return;
    begin(&record, name);
    for (int i = 0; i < PER_LOOKUP && entry->h_addr_list[i] != NULL; i++) {
        if (entry->h_addrtype == AF_INET && entry->h_length == 4)
            map_ipv4(record.entry.address, entry->h_addr_list[i]);
        else if (entry->h_addrtype == AF_INET6 && entry->h_length == 16)
            memcpy(record.entry.address, entry->h_addr_list[i], 16);
        else
            return;
        remember(&record);
    }
}

/* The newest first. */
static void insert(struct tg_inject_names *out, uint64_t age[], uint64_t sequence, const char *name)
{
    unsigned at = out->count < TG_INJECT_NAMES ? out->count : TG_INJECT_NAMES;

    out->more = out->more || out->count == TG_INJECT_NAMES;
    while (at > 0 && age[at - 1] < sequence) {
        if (at < TG_INJECT_NAMES) {
            age[at] = age[at - 1];
            memcpy(out->name[at], out->name[at - 1], TG_INJECT_NAME_SIZE);
        }
        at--;
    }
    if (at == TG_INJECT_NAMES)
        return;
    age[at] = sequence;
    memcpy(out->name[at], name, TG_INJECT_NAME_SIZE);
    if (out->count < TG_INJECT_NAMES)
        out->count++;
}

void tg_names_find(const struct sockaddr *address, socklen_t length, struct tg_inject_names *out)
{
    uint64_t age[TG_INJECT_NAMES] = {0};
    union record record;
    uint8_t wanted[16];
    size_t set;

    out->count = 0;
    out->more = false;
    if (!tg_names_address(wanted, address, length))
        return;
    set = set_of(wanted);
    for (size_t way = 0; way < WAYS; way++) {
        bool busy;
        uint64_t sequence = tg_slot_wait(slots[set][way], record.words, WORDS, &busy);

        out->more = out->more || busy;
        if (sequence != 0 && memcmp(record.entry.address, wanted, sizeof(wanted)) == 0)
            insert(out, age, sequence, record.entry.name);
    }
    out->more = out->more || atomic_load_explicit(&crowded[set], memory_order_acquire);
}
