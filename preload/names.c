/*
 * names.c - a ring of (address, thread, name). A fixed size bounds the memory, whatever a
 * name server answers; the newest push out the oldest.
 */
#include "names.h"
#include "slot.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

#define NAME_SIZE  256 /* a DNS name's 253 bytes, a dot and NUL (RFC 1035 section 2.3.4) */
#define SLOTS      256
#define PER_LOOKUP (SLOTS / 4) /* of one answer's addresses, so that none pushes out all others */

/* An IPv4 address is kept as IPv6 does it (RFC 4291 section 2.5.5.2): sockets mix them. */
struct entry {
    uint8_t address[16];
    uint64_t thread;
    char name[NAME_SIZE];
};
#define WORDS      (sizeof(struct entry) / sizeof(uint64_t))
#define HEAD_WORDS (offsetof(struct entry, name) / sizeof(uint64_t))
_Static_assert(sizeof(struct entry) % sizeof(uint64_t) == 0, "an entry is whole words");

union record {
    struct entry entry;
    uint64_t words[WORDS];
};

static tg_slot_word ring[SLOTS][1 + WORDS];
static _Atomic uint64_t newest;

static void map_ipv4(uint8_t out[16], const void *address)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

    memcpy(out, prefix, sizeof(prefix));
    memcpy(out + sizeof(prefix), address, 4);
}

static bool read_address(uint8_t out[16], const struct sockaddr *from, socklen_t length)
{
    if (from == NULL)
        return false;
    if (from->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        map_ipv4(out, &((const struct sockaddr_in *)from)->sin_addr);
        return true;
    }
    if (from->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        memcpy(out, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
        return true;
    }
    return false;
}

/* A literal isn't a name: looking one up must not hide the name that led to the address. */
static bool is_name(const char *text)
{
    struct in_addr ignored;

    if (text == NULL || *text == '\0' || strlen(text) >= NAME_SIZE)
        return false;
    return strchr(text, ':') == NULL && inet_aton(text, &ignored) == 0;
}

static void remember(union record *record)
{
    uint64_t ticket = atomic_fetch_add_explicit(&newest, 1, memory_order_relaxed) + 1;

    /* Lost only if another thread is in this very slot: the ring went round meanwhile. */
    (void)tg_slot_write(ring[ticket % SLOTS], record->words, WORDS, ticket * 2);
}

static void begin(union record *record, const char *name)
{
    memset(record, 0, sizeof(*record));
    record->entry.thread = (uint64_t)pthread_self();
    memcpy(record->entry.name, name, strlen(name) + 1);
}

void tg_names_add_addrinfo(const char *name, const struct addrinfo *list)
{
    union record record;

    if (!is_name(name))
        return;
    begin(&record, name);
    for (int left = PER_LOOKUP; list != NULL && left > 0; list = list->ai_next) {
        if (!read_address(record.entry.address, list->ai_addr, list->ai_addrlen))
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

int tg_names_find(const struct sockaddr *peer, socklen_t length, char *out)
{
    uint64_t thread = (uint64_t)pthread_self(), best = 0;
    bool best_own = false;
    uint8_t address[16];
    union record record;

    if (!read_address(address, peer, length))
        return 0;
    for (size_t i = 0; i < SLOTS; i++) {
        uint64_t sequence = tg_slot_read(ring[i], record.words, HEAD_WORDS);
        if (sequence == 0 || memcmp(record.entry.address, address, sizeof(address)) != 0)
            continue;
        bool own = record.entry.thread == thread;
        if (own < best_own || (own == best_own && sequence < best))
            continue;
        best = sequence;
        best_own = own;
    }
    /* It may have been pushed out since: then the name is forgotten, like the oldest are. */
    if (best == 0 || tg_slot_read(ring[best / 2 % SLOTS], record.words, WORDS) != best)
        return 0;
    memcpy(out, record.entry.name, NAME_SIZE);
    out[NAME_SIZE - 1] = '\0';
    return 1;
}
