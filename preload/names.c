/*
 * names.c - a hash table of (address, name). A fixed size bounds the memory, whatever a name
 * server answers; a name that is pushed out, or left out, leaves a mark on its address, so that
 * nobody takes the remaining names for all.
 */
#include "names.h"
#include "pending.h"
#include "slot.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>

#define SETS       1024
#define WAYS       8
#define PER_LOOKUP 64 /* of one answer's addresses, so that none pushes out all others */
#define LOST_BITS  (UINT64_C(1) << 20)
#define PATIENCE   200 /* with another thread that is writing; in a fork's child it isn't there */

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
/* Two bits for each address that a name was lost of; other addresses may have both by chance. */
static _Atomic uint64_t lost[LOST_BITS / 64];
/* When each name was looked up last; beside the slots, so that a look-up of a name that is there
 * already doesn't disturb whoever reads it. */
static _Atomic uint64_t ages[SETS][WAYS], newest;

static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

/* Who connects to the unspecified address gets to this host (ip(7)). */
static void specify(uint8_t address[16])
{
    static const uint8_t none[16], loopback[4] = {127, 0, 0, 1};

    if (memcmp(address, none, sizeof(none)) == 0)
        address[15] = 1;
    else if (memcmp(address, prefix, sizeof(prefix)) == 0 &&
             memcmp(address + sizeof(prefix), none, sizeof(loopback)) == 0)
        memcpy(address + sizeof(prefix), loopback, sizeof(loopback));
}

static void map_ipv4(uint8_t out[16], const void *address)
{
    memcpy(out, prefix, sizeof(prefix));
    memcpy(out + sizeof(prefix), address, 4);
    specify(out);
}

static void copy_ipv6(uint8_t out[16], const void *address)
{
    memcpy(out, address, 16);
    specify(out);
}

bool tg_names_address(uint8_t out[16], const struct sockaddr *address, socklen_t length)
{
    if (address == NULL || length < sizeof(struct sockaddr_in))
        return false;
    if (address->sa_family == AF_INET) {
        map_ipv4(out, &((const struct sockaddr_in *)address)->sin_addr);
        return true;
    }
    /* The kernel does without the last field (RFC 2133 had none). */
    if (address->sa_family == AF_INET6 && length >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
        copy_ipv6(out, &((const struct sockaddr_in6 *)address)->sin6_addr);
        return true;
    }
    return false;
}

/* A literal isn't a name: it is the address. */
bool tg_names_is_name(const char *text)
{
    struct in_addr ignored;

    if (text == NULL || *text == '\0' || strlen(text) >= TG_INJECT_NAME_SIZE)
        return false;
    return strchr(text, ':') == NULL && inet_aton(text, &ignored) == 0;
}

/* FNV-1a, and what MurmurHash3 ends with, since all bits are used. */
static uint64_t hash_of(const uint8_t address[16])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < 16; i++)
        hash = (hash ^ address[i]) * UINT64_C(0x100000001b3);
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 33;
}

static void lose(const uint8_t address[16])
{
    for (uint64_t hash = hash_of(address), i = 0; i < 2; i++, hash >>= 32)
        atomic_fetch_or_explicit(&lost[hash % LOST_BITS / 64], UINT64_C(1) << hash % 64,
                                 memory_order_release);
}

static bool is_lost(const uint8_t address[16])
{
    bool both = true;

    for (uint64_t hash = hash_of(address), i = 0; i < 2; i++, hash >>= 32)
        both = both && (atomic_load_explicit(&lost[hash % LOST_BITS / 64], memory_order_acquire) >>
                            hash % 64 &
                        1);
    return both;
}

static size_t set_of(const uint8_t address[16])
{
    return (hash_of(address) >> 52) % SETS;
}

/* As tg_slot_read, but waits for a thread that is writing. */
static uint64_t read_way(const tg_slot_word *way, union record *record)
{
    uint64_t sequence = 0;

    for (unsigned i = 0; i < PATIENCE; i++) {
        sequence = tg_slot_read(way, record->words, WORDS);
        if (sequence != 0 || tg_slot_empty(way))
            break;
        if (i > PATIENCE / 2)
            (void)sched_yield();
    }
    return sequence;
}

/*
 * Puts RECORD in the way that holds it already, else in an empty way or that of the oldest name.
 * False: another thread came between.
 */
static bool keep(const union record *record)
{
    uint64_t ticket = atomic_fetch_add_explicit(&newest, 1, memory_order_relaxed) + 1;
    uint64_t sequence = 0, age = UINT64_MAX;
    size_t set = set_of(record->entry.address), place = WAYS;
    union record old, oldest;

    for (size_t way = 0; way < WAYS; way++) {
        uint64_t found = read_way(slots[set][way], &old), when = atomic_load(&ages[set][way]);

        if (found == 0 && !tg_slot_empty(slots[set][way]))
            continue;
        if (found != 0 && memcmp(&old, record, sizeof(old)) == 0) {
            atomic_store(&ages[set][way], ticket);
            return true;
        }
        if (found == 0)
            when = 0;
        if (place == WAYS || when < age) {
            age = when;
            place = way;
            sequence = found;
            oldest = old;
        }
    }
    if (place == WAYS)
        return false;
    if (sequence != 0)
        lose(oldest.entry.address);
    atomic_store(&ages[set][place], ticket);
    return tg_slot_replace(slots[set][place], record->words, WORDS, sequence, ticket * 2);
}

static void remember(const union record *record)
{
    for (unsigned i = 0; i < PATIENCE; i++)
        if (keep(record))
            return;
    lose(record->entry.address);
}

static void begin(union record *record, const char *name)
{
    memset(record, 0, sizeof(*record));
    memcpy(record->entry.name, name, strlen(name) + 1);
}

/* LEFT: as many more are remembered. */
static void add(const union record *record, int *left)
{
    if (*left > 0)
        remember(record);
    else
        lose(record->entry.address);
    --*left;
}

void tg_names_add_addrinfo(const char *name, const struct addrinfo *list)
{
    union record record;

    if (!tg_names_is_name(name))
        return;
    begin(&record, name);
    for (int left = PER_LOOKUP; list != NULL; list = list->ai_next) {
        uint8_t before[sizeof(record.entry.address)];

        memcpy(before, record.entry.address, sizeof(before));
        if (!tg_names_address(record.entry.address, list->ai_addr, list->ai_addrlen) ||
            memcmp(before, record.entry.address, sizeof(before)) == 0) /* for other protocols */
            continue;
        add(&record, &left);
    }
}

void tg_names_add_hostent(const char *name, const struct hostent *entry)
{
    union record record;
    int left = PER_LOOKUP;

    if (entry == NULL || !tg_names_is_name(name))
        return;
    begin(&record, name);
    for (int i = 0; entry->h_addr_list[i] != NULL; i++) {
        if (entry->h_addrtype == AF_INET && entry->h_length == 4)
            map_ipv4(record.entry.address, entry->h_addr_list[i]);
        else if (entry->h_addrtype == AF_INET6 && entry->h_length == 16)
            copy_ipv6(record.entry.address, entry->h_addr_list[i]);
        else
            return;
        add(&record, &left);
    }
}

/* The newest first. */
static void insert(struct tg_inject_names *out, uint64_t age[], uint64_t when, const char *name)
{
    unsigned at = out->count < TG_INJECT_NAMES ? out->count : TG_INJECT_NAMES;

    out->more = out->more || out->count == TG_INJECT_NAMES;
    while (at > 0 && age[at - 1] < when) {
        if (at < TG_INJECT_NAMES) {
            age[at] = age[at - 1];
            memcpy(out->name[at], out->name[at - 1], TG_INJECT_NAME_SIZE);
        }
        at--;
    }
    if (at == TG_INJECT_NAMES)
        return;
    age[at] = when;
    memcpy(out->name[at], name, TG_INJECT_NAME_SIZE);
    if (out->count < TG_INJECT_NAMES)
        out->count++;
}

static void add_name(struct tg_inject_names *out, const char *name)
{
    for (unsigned i = 0; i < out->count; i++)
        if (strcmp(out->name[i], name) == 0)
            return;
    if (out->count < TG_INJECT_NAMES)
        memcpy(out->name[out->count++], name, strlen(name) + 1);
    else
        out->more = true;
}

void tg_names_join(struct tg_inject_names *names, const struct tg_inject_names *others)
{
    for (unsigned i = 0; i < others->count; i++)
        add_name(names, others->name[i]);
    names->more = names->more || others->more;
}

void tg_names_find(const struct sockaddr *address, socklen_t length, struct tg_inject_names *out)
{
    uint64_t age[TG_INJECT_NAMES] = {0};
    union record record;
    uint8_t wanted[16];
    size_t set;
    struct tg_inject_names pending;
    bool all;

    out->count = pending.count = 0;
    out->more = pending.more = false;
    if (!tg_names_address(wanted, address, length))
        return;
    all = tg_pending_find(add_name, &pending); /* first: what ends there is in a slot before */
    set = set_of(wanted);
    for (size_t way = 0; way < WAYS; way++) {
        if (read_way(slots[set][way], &record) == 0)
            out->more = out->more || !tg_slot_empty(slots[set][way]);
        else if (memcmp(record.entry.address, wanted, sizeof(wanted)) == 0)
            insert(out, age, atomic_load(&ages[set][way]), record.entry.name);
    }
    tg_names_join(out, &pending);
    out->more = out->more || is_lost(wanted) || !all;
}
