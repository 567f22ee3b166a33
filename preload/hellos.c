/*
 * hellos.c - ClientHellos by their random, and the peers of QUIC's Initial packets by age.
 *
 * Whoever relays bytes for others can be made to send a ClientHello that it has seen, so a random
 * may come to have several peers: all of them are kept, the first never gives way to a later one
 * of the same random.
 */
#include "hellos.h"
#include "ends.h"
#include "slot.h"
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>

#define SETS     1024
#define WAYS     4
#define INITIALS 64
#define ATTEMPTS 16
#define PATIENCE 50

/* RFC 8446 section 5.1, RFC 9147 section 4.1 (DTLS 1.2: RFC 6347 section 4.2.2), RFC 9000 17.2.2.
 */
enum {
    HANDSHAKE = 22,
    CLIENT_HELLO = 1,
    TLS_MESSAGE = 5,   /* where the handshake message begins */
    TLS_RANDOM = 11,   /* and its random */
    DTLS_MESSAGE = 13, /* likewise */
    DTLS_RANDOM = 27,
    DTLS_MAJOR = 0xFE,
    LOOKED_AT = DTLS_RANDOM + TG_INJECT_RANDOM_SIZE,
    LONG_HEADER = 0xC0, /* and the fixed bit */
    LONG_TYPE = 0x30,
};

struct hello {
    uint8_t random[TG_INJECT_RANDOM_SIZE]; /* all zero: a QUIC Initial */
    struct sockaddr_storage address;
    uint64_t descriptor;
};
#define WORDS (sizeof(struct hello) / sizeof(uint64_t))
_Static_assert(sizeof(struct hello) % sizeof(uint64_t) == 0, "a hello is whole words");

union record {
    struct hello hello;
    uint64_t words[WORDS];
};

static tg_slot_word hellos[SETS][WAYS][1 + WORDS], initials[INITIALS][1 + WORDS];
static _Atomic uint64_t newest, newest_initial;
static atomic_bool started;

void tg_hellos_start(void)
{
    atomic_store_explicit(&started, true, memory_order_relaxed);
}

/* The first bytes of DATA, as many as are looked at. */
static size_t gather(const struct iovec *data, size_t count, uint8_t out[LOOKED_AT])
{
    size_t have = 0, whole = 0;

    /* Some write a byte to learn whether they may read it: what is too short isn't touched. */
    for (size_t i = 0; i < count && whole < TLS_RANDOM + TG_INJECT_RANDOM_SIZE; i++)
        whole += data[i].iov_len;
    if (whole < TLS_RANDOM + TG_INJECT_RANDOM_SIZE)
        return 0;
    for (size_t i = 0; i < count && have < LOOKED_AT; i++) {
        size_t piece = data[i].iov_len < LOOKED_AT - have ? data[i].iov_len : LOOKED_AT - have;

        if (piece > 0)
            memcpy(out + have, data[i].iov_base, piece);
        have += piece;
    }
    return have;
}

static const uint8_t *random_in(const uint8_t *data, size_t length)
{
    if (length >= TLS_RANDOM + TG_INJECT_RANDOM_SIZE && data[0] == HANDSHAKE && data[1] == 3 &&
        data[TLS_MESSAGE] == CLIENT_HELLO)
        return data + TLS_RANDOM;
    if (length >= LOOKED_AT && data[0] == HANDSHAKE && data[1] == DTLS_MAJOR &&
        data[DTLS_MESSAGE] == CLIENT_HELLO)
        return data + DTLS_RANDOM;
    return NULL;
}

/* Of version 1 (RFC 9000) or 2 (RFC 9369), which numbers the types anew. */
static bool is_initial(const uint8_t *data, size_t length)
{
    static const uint8_t one[4] = {0, 0, 0, 1}, two[4] = {0x6b, 0x33, 0x43, 0xcf};

    if (length < LOOKED_AT || (data[0] & LONG_HEADER) != LONG_HEADER)
        return false;
    return (memcmp(data + 1, one, 4) == 0 && (data[0] & LONG_TYPE) == 0) ||
           (memcmp(data + 1, two, 4) == 0 && (data[0] & LONG_TYPE) == 0x10);
}

static tg_slot_word (*set_of(const uint8_t *random))[1 + WORDS]
{
    return hellos[(random[0] | random[1] << 8) % SETS];
}

static bool same(const struct hello *one, const struct hello *other)
{
    return memcmp(one->random, other->random, sizeof(one->random)) == 0 &&
           memcmp(&one->address, &other->address, sizeof(one->address)) == 0;
}

/* Where it goes: in place of the oldest, which has the sequence *HELD. NULL: it is there already,
 * or other threads are everywhere. */
static tg_slot_word *place_for(const union record *record, uint64_t *held)
{
    tg_slot_word(*set)[1 + WORDS] = set_of(record->hello.random), *place = NULL;
    union record old;

    *held = UINT64_MAX;
    for (size_t way = 0; way < WAYS; way++) {
        bool busy;
        uint64_t sequence = tg_slot_wait(set[way], old.words, WORDS, &busy);

        if (sequence != 0 && same(&old.hello, &record->hello))
            return NULL;
        if (!busy && sequence < *held) {
            *held = sequence;
            place = set[way];
        }
    }
    return place;
}

/* Two threads may want the same place: who comes second looks for another. */
static void keep_hello(const union record *record)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        uint64_t held, ticket;
        tg_slot_word *place = place_for(record, &held);

        if (place == NULL)
            return;
        ticket = atomic_fetch_add_explicit(&newest, 1, memory_order_relaxed) + 1;
        if (tg_slot_replace(place, held, record->words, WORDS, ticket * 2))
            return;
    }
}

static void keep_initial(const union record *record)
{
    uint64_t ticket = atomic_fetch_add(&newest_initial, 1) + 1;

    (void)tg_slot_write(initials[ticket % INITIALS], record->words, WORDS, ticket * 2);
}

/* Where the data goes: to ADDRESS, else to the peer, also of one that is being connected. */
static bool find_peer(int descriptor, const void *address, socklen_t length,
                      struct sockaddr_storage *peer)
{
    socklen_t size = sizeof(*peer);

    memset(peer, 0, sizeof(*peer));
    if (address != NULL && length <= sizeof(*peer))
        memcpy(peer, address, length);
    else if (getpeername(descriptor, (struct sockaddr *)peer, &size) != 0)
        return tg_ends_address(descriptor, peer);
    return peer->ss_family == AF_INET || peer->ss_family == AF_INET6;
}

void tg_hellos_note(int descriptor, const struct iovec *data, size_t count, const void *address,
                    socklen_t length)
{
    uint8_t first[LOOKED_AT];
    const uint8_t *random = NULL;
    union record record;
    size_t have;
    int saved = errno;

    if (!atomic_load_explicit(&started, memory_order_relaxed) || count == 0)
        return;
    have = gather(data, count, first);
    random = random_in(first, have);
    if (random == NULL && !is_initial(first, have))
        return;
    memset(&record, 0, sizeof(record));
    record.hello.descriptor = (uint64_t)descriptor;
    if (find_peer(descriptor, address, length, &record.hello.address)) {
        if (address != NULL)
            tg_ends_connect(descriptor, address, length);
        if (random != NULL)
            memcpy(record.hello.random, random, sizeof(record.hello.random));
        if (random != NULL)
            keep_hello(&record);
        else
            keep_initial(&record);
    }
    errno = saved;
}

static void show(const struct hello *hello, struct tg_inject_end *end)
{
    end->address = hello->address;
    tg_ends_names((int)hello->descriptor, (const struct sockaddr *)&hello->address,
                  sizeof(hello->address), &end->names);
}

unsigned tg_hellos_find(const uint8_t random[TG_INJECT_RANDOM_SIZE], struct tg_inject_end *ends,
                        unsigned room)
{
    tg_slot_word(*set)[1 + WORDS] = set_of(random);
    unsigned count = 0;
    union record record;

    for (size_t way = 0; way < WAYS && count < room; way++)
        if (tg_slot_read(set[way], record.words, WORDS) != 0 &&
            memcmp(record.hello.random, random, TG_INJECT_RANDOM_SIZE) == 0)
            show(&record.hello, &ends[count++]);
    return count;
}

/* Who has a ticket writes at once, but may have to wait. False if the packet was pushed out. */
static bool read_initial(uint64_t ticket, union record *record)
{
    for (int i = 0; i < PATIENCE; i++) {
        uint64_t sequence = tg_slot_read(initials[ticket % INITIALS], record->words, WORDS);

        if (sequence >= ticket * 2)
            return sequence == ticket * 2;
        (void)sched_yield();
    }
    return false;
}

uint64_t tg_hellos_initials(uint64_t since, struct tg_inject_end *ends, unsigned room,
                            unsigned *count)
{
    uint64_t now = atomic_load(&newest_initial);
    union record record;

    *count = 0;
    for (uint64_t ticket = now; ticket > since && *count <= room; ticket--) {
        bool known = false;

        if (now - ticket >= INITIALS || !read_initial(ticket, &record)) {
            *count = room + 1;
            return now;
        }
        for (unsigned i = 0; i < *count && !known; i++)
            known =
                memcmp(&ends[i].address, &record.hello.address, sizeof(record.hello.address)) == 0;
        if (known)
            continue;
        if (*count < room)
            show(&record.hello, &ends[*count]);
        ++*count;
    }
    return now;
}
