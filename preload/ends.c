/*
 * ends.c - a record for each descriptor, in chunks that are mapped when one is needed and stay.
 * connect(2) is async-signal-safe: so slot.h in place of a lock, and mmap in place of malloc.
 */
#include "ends.h"
#include "names.h"
#include "readable.h"
#include "slot.h"
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNKS  1024
#define ENTRIES 64 /* descriptors from CHUNKS * ENTRIES on aren't bound */

struct end {
    uint64_t cookie;    /* 0: the kernel gives none */
    uint64_t datagrams; /* their socket */
    uint8_t address[16];
    uint32_t family, port, scope; /* in network order as in a sockaddr, but for the family */
    uint32_t count, more, sent;   /* sent: a datagram went there, others may have gone elsewhere */
    char name[TG_INJECT_NAMES][TG_INJECT_NAME_SIZE];
};
#define WORDS (sizeof(struct end) / sizeof(uint64_t))
_Static_assert(sizeof(struct end) % sizeof(uint64_t) == 0, "an end is whole words");

union record {
    struct end end;
    uint64_t words[WORDS];
};

typedef tg_slot_word chunk[ENTRIES][1 + WORDS];

static _Atomic(chunk *) chunks[CHUNKS];

static uint64_t cookie_of(int descriptor)
{
    uint64_t cookie = 0;
    socklen_t length = sizeof(cookie);

    if (getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0)
        return 0;
    return cookie;
}

/* The slot of DESCRIPTOR; NULL: there is none, or no memory for it. */
static tg_slot_word *slot(int descriptor, bool make)
{
    chunk *found = NULL, *fresh = NULL;
    size_t number = (size_t)descriptor / ENTRIES;

    if (descriptor < 0 || number >= CHUNKS)
        return NULL;
    found = atomic_load_explicit(&chunks[number], memory_order_acquire);
    if (found == NULL && make) {
        fresh =
            mmap(NULL, sizeof(*fresh), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (fresh == MAP_FAILED)
            return NULL;
        if (atomic_compare_exchange_strong(&chunks[number], &found, fresh))
            found = fresh;
        else
            (void)munmap(fresh, sizeof(*fresh));
    }
    return found != NULL ? (*found)[descriptor % ENTRIES] : NULL;
}

static void set_address(struct end *end, const struct sockaddr_storage *address)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;

    end->family = address->ss_family;
    end->port = address->ss_family == AF_INET6 ? six->sin6_port
                                               : ((const struct sockaddr_in *)address)->sin_port;
    end->scope = address->ss_family == AF_INET6 ? six->sin6_scope_id : 0;
}

static bool is_stream(int descriptor)
{
    int type = SOCK_STREAM;
    socklen_t size = sizeof(type);

    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

static void bind_names(int descriptor, const struct sockaddr *given, socklen_t length, bool sent)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    struct tg_inject_names names;
    union record record;
    tg_slot_word *at = NULL;
    int saved = errno;

    memset(&record, 0, sizeof(record));
    if (length <= sizeof(address) &&
        tg_readable_copy(&(struct tg_readable){0}, &address, given, length) == length &&
        tg_names_address(record.end.address, (struct sockaddr *)&address, length))
        at = slot(descriptor, true);
    if (at != NULL) {
        tg_names_find((struct sockaddr *)&address, length, &names);
        set_address(&record.end, &address);
        record.end.cookie = cookie_of(descriptor);
        record.end.datagrams = !is_stream(descriptor);
        record.end.sent = sent && record.end.datagrams != 0;
        record.end.count = names.count;
        record.end.more = names.more;
        memcpy(record.end.name, names.name, names.count * sizeof(names.name[0]));
        (void)tg_slot_write(at, record.words, WORDS, (atomic_load(&at[0]) | 1) + 1);
    }
    errno = saved;
}

void tg_ends_connect(int descriptor, const struct sockaddr *address, socklen_t length)
{
    bind_names(descriptor, address, length, false);
}

void tg_ends_send(int descriptor, const struct sockaddr *address, socklen_t length)
{
    bind_names(descriptor, address, length, true);
}

bool tg_ends_datagrams(int descriptor)
{
    const tg_slot_word *at = slot(descriptor, false);
    size_t word = offsetof(struct end, datagrams) / sizeof(uint64_t);

    return at != NULL && atomic_load_explicit(&at[1 + word], memory_order_relaxed) != 0;
}

/* The record of the socket; found by its cookie where the socket was connected under another number
 * than DESCRIPTOR (dup(2)). */
static bool find(int descriptor, union record *record)
{
    uint64_t cookie = cookie_of(descriptor);
    tg_slot_word *at = slot(descriptor, false);

    if (at != NULL && tg_slot_read(at, record->words, WORDS) != 0 && record->end.cookie == cookie)
        return true;
    for (int other = 0; cookie != 0 && other < ENTRIES * CHUNKS; other++) {
        at = slot(other, false);
        if (at == NULL)
            other |= ENTRIES - 1;
        else if (atomic_load_explicit(&at[1], memory_order_relaxed) == cookie &&
                 tg_slot_read(at, record->words, WORDS) != 0 && record->end.cookie == cookie)
            return true;
    }
    return false;
}

bool tg_ends_address(int descriptor, struct sockaddr_storage *address)
{
    union record record;

    if (!find(descriptor, &record))
        return false;
    memset(address, 0, sizeof(*address));
    address->ss_family = (sa_family_t)record.end.family;
    if (record.end.family == AF_INET6) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;

        six->sin6_port = (in_port_t)record.end.port;
        six->sin6_scope_id = record.end.scope;
        memcpy(&six->sin6_addr, record.end.address, 16);
    } else {
        struct sockaddr_in *four = (struct sockaddr_in *)address;

        four->sin_port = (in_port_t)record.end.port;
        memcpy(&four->sin_addr, record.end.address + 12, 4);
    }
    return true;
}

void tg_ends_names(int descriptor, const struct sockaddr *peer, socklen_t length,
                   struct tg_inject_names *names)
{
    struct tg_inject_names now;
    union record record;
    uint8_t address[16];
    bool same = false;
    int saved = errno;

    names->count = 0;
    names->more = false;
    if (descriptor >= 0 && tg_names_address(address, peer, length) && find(descriptor, &record)) {
        same = memcmp(address, record.end.address, sizeof(address)) == 0;
        if (same || !record.end.sent) {
            names->count = record.end.count;
            names->more = record.end.more;
            memcpy(names->name, record.end.name, record.end.count * sizeof(names->name[0]));
        }
    }
    if (!same) {
        tg_names_find(peer, length, &now);
        tg_names_join(names, &now);
    }
    errno = saved;
}
