/*
 * hellos.c - ClientHellos by their random, and the peers of QUIC's Initial packets by age.
 *
 * Whoever relays bytes for others can be made to send a ClientHello that it has seen, so a random
 * may come to have several peers: all of them are kept, and no peer gives way to another of the
 * same random.
 *
 * write(2) may be called by a signal handler, and in a child of fork(2) whatever its parent's
 * threads were doing: so no lock and no pthread_once(3) here, but slot.h.
 */
#include "hellos.h"
#include "begun.h"
#include "ends.h"
#include "readable.h"
#include "slot.h"
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>

#define SETS     512
#define WAYS     8
#define INITIALS 64

/*
 * RFC 8446 section 5.1, RFC 9147 section 4.1 (DTLS 1.2: RFC 6347 section 4.2.2), RFC 9000 section
 * 17.2.2.
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
    union {
        struct sockaddr any; /* of no family: to what is no socket of IP */
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        uint64_t words[4];
    } address;
    uint64_t descriptor;
};
#define WORDS (sizeof(struct hello) / sizeof(uint64_t))
_Static_assert(sizeof(struct hello) % sizeof(uint64_t) == 0, "a hello is whole words");

union record {
    struct hello hello;
    uint64_t words[WORDS];
};

static tg_slot_word hellos[SETS][WAYS][1 + WORDS], initials[INITIALS][1 + WORDS];
static _Atomic uint64_t newest, newest_initial, lost_initial;
static atomic_bool started;

void tg_hellos_start(void)
{
    atomic_store_explicit(&started, true, memory_order_relaxed);
}

bool tg_hellos_started(void)
{
    return atomic_load_explicit(&started, memory_order_relaxed);
}

/* The first bytes of DATA, as many as are looked at. SENT, if not 0, of its bytes have been sent.
 */
static size_t gather(const struct iovec *data, size_t count, size_t sent, uint8_t out[LOOKED_AT])
{
    struct tg_readable pieces = {.all = sent > 0}, bytes = {.all = sent > 0};
    size_t have = 0, got = 0, wanted = 0, most = LOOKED_AT;
    struct iovec piece;

    if (sent > 0 && sent < most)
        most = sent;

    for (size_t i = 0; i < count && count <= IOV_MAX && have < most && got == wanted; i++) {
        if (tg_readable_copy(&pieces, &piece, &data[i], sizeof(piece)) < sizeof(piece))
            break;
        wanted = piece.iov_len < most - have ? piece.iov_len : most - have;
        got = tg_readable_copy(&bytes, out + have, piece.iov_base, wanted);
        have += got;
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

static bool same_random(const struct hello *one, const uint8_t random[TG_INJECT_RANDOM_SIZE])
{
    return memcmp(one->random, random, TG_INJECT_RANDOM_SIZE) == 0;
}

static bool same(const struct hello *one, const struct hello *other)
{
    return same_random(one, other->random) &&
           memcmp(one->address.words, other->address.words, sizeof(one->address)) == 0;
}

/* Puts RECORD in the place of the oldest of its set. False: another thread came between. */
static bool put_hello(const union record *record)
{
    tg_slot_word(*set)[1 + WORDS] = set_of(record->hello.random), *place = NULL;
    uint64_t age = UINT64_MAX;
    union record old;

    for (size_t way = 0; way < WAYS; way++) {
        uint64_t sequence = tg_slot_read(set[way], old.words, WORDS);

        if (sequence == 0 && !tg_slot_empty(set[way]))
            continue; /* being written; for ever so in a child that was forked in between */
        if (sequence != 0 && same(&old.hello, &record->hello))
            return true;
        if (sequence < age && (sequence == 0 || !same_random(&old.hello, record->hello.random))) {
            age = sequence;
            place = set[way];
        }
    }
    if (place == NULL)
        return true; /* all are of this random: tg_hellos_find tells so */
    return tg_slot_replace(place, record->words, WORDS, age,
                           (atomic_fetch_add_explicit(&newest, 1, memory_order_relaxed) + 1) * 2);
}

static void keep_hello(const union record *record)
{
    for (unsigned i = 0; i < WAYS && !put_hello(record); i++)
        continue;
}

/* A slot that is being written, or was so when this process was forked, costs a ticket, not the
 * packet. */
static void keep_initial(const union record *record)
{
    uint64_t ticket = 0;

    for (unsigned i = 0; i < WAYS; i++) {
        ticket = atomic_fetch_add(&newest_initial, 1) + 1;
        if (tg_slot_write(initials[ticket % INITIALS], record->words, WORDS, ticket * 2))
            return;
    }
    for (uint64_t lost = atomic_load(&lost_initial);
         lost < ticket && !atomic_compare_exchange_weak(&lost_initial, &lost, ticket);)
        continue;
}

static bool is_ip(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET || address->ss_family == AF_INET6;
}

/* True for a pipe or a socket that isn't of IP: the process at its other end may carry the data on.
 */
static bool is_passage(int descriptor)
{
    struct stat status;
    int family = AF_UNSPEC;
    socklen_t length = sizeof(family);

    if (fstat(descriptor, &status) != 0)
        return false;
    if (S_ISSOCK(status.st_mode))
        return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &length) == 0 &&
               family != AF_INET && family != AF_INET6;
    return S_ISFIFO(status.st_mode);
}

/*
 * Where the data goes: to the peer of a connected stream, else to ADDRESS (*NEW then), else to the
 * peer of the socket, also of a socket that is being connected.
 */
static bool find_peer(int descriptor, const void *address, socklen_t length,
                      struct sockaddr_storage *peer, bool *new)
{
    socklen_t size = sizeof(*peer), other = sizeof(int);
    int type = 0;
    struct sockaddr_storage to = {.ss_family = AF_UNSPEC};
    bool given = address != NULL && length > 0 && length <= sizeof(to), connected;

    if (given)
        given = tg_readable_copy(&(struct tg_readable){0}, &to, address, length) == length;
    memset(peer, 0, sizeof(*peer));
    connected = getpeername(descriptor, (struct sockaddr *)peer, &size) == 0;
    if (given && connected)
        given =
            getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &other) != 0 || type != SOCK_STREAM;
    *new = given;
    if (given)
        *peer = to;
    if ((given || connected || tg_ends_address(descriptor, peer)) && is_ip(peer))
        return true;
    peer->ss_family = AF_UNSPEC;
    return is_passage(descriptor);
}

static void put_address(struct hello *hello, const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6) {
        hello->address.six = *(const struct sockaddr_in6 *)address;
    } else if (address->ss_family == AF_INET) {
        hello->address.four = *(const struct sockaddr_in *)address;
        memset(hello->address.four.sin_zero, 0, sizeof(hello->address.four.sin_zero));
    }
}

static void note(int descriptor, const struct iovec *data, size_t count, size_t sent,
                 const void *address, socklen_t length)
{
    uint8_t first[LOOKED_AT] = {0};
    const uint8_t *random = NULL;
    struct sockaddr_storage peer;
    union record record;
    size_t have;
    bool new = false, begun;
    int saved = errno;

    if (!tg_hellos_started())
        return;
    have = gather(data, count, sent, first);
    random = random_in(first, have);
    begun = tg_begun_is(first, have);
    if (random == NULL && !begun && !is_initial(first, have))
        return;
    memset(&record, 0, sizeof(record));
    record.hello.descriptor = (uint64_t)descriptor;
    if (find_peer(descriptor, address, length, &peer, &new)) {
        put_address(&record.hello, &peer);
        if (new)
            tg_ends_send(descriptor, (struct sockaddr *)&peer, length);
        if (random != NULL)
            memcpy(record.hello.random, random, sizeof(record.hello.random));
        if (begun && is_ip(&peer))
            tg_begun_note(descriptor, &peer, first, have);
        else if (random != NULL)
            keep_hello(&record);
        else if (is_ip(&peer))
            keep_initial(&record);
    }
    errno = saved;
}

void tg_hellos_note(int descriptor, const struct iovec *data, size_t count, const void *address,
                    socklen_t length)
{
    note(descriptor, data, count, 0, address, length);
}

void tg_hellos_sent(int descriptor, const struct iovec *data, size_t count, ssize_t sent)
{
    if (sent > 0)
        note(descriptor, data, count, (size_t)sent, NULL, 0);
}

static void show(const struct hello *hello, struct tg_inject_end *end)
{
    memset(end, 0, sizeof(*end));
    if (hello->address.any.sa_family == AF_UNSPEC)
        return;
    memcpy(&end->address, &hello->address, sizeof(hello->address));
    tg_ends_names((int)hello->descriptor, (const struct sockaddr *)&end->address,
                  sizeof(end->address), &end->names);
}

/* A ClientHello that went to another process says nothing of where it ends, unless this process has
 * carried it on itself. */
unsigned tg_hellos_find(const uint8_t random[TG_INJECT_RANDOM_SIZE], struct tg_inject_end *ends,
                        unsigned room)
{
    tg_slot_word(*set)[1 + WORDS] = set_of(random);
    unsigned count = 0, all = 0;
    union record record, passage;

    for (size_t way = 0; way < WAYS; way++) {
        if (tg_slot_read(set[way], record.words, WORDS) == 0 || !same_random(&record.hello, random))
            continue;
        all++;
        if (record.hello.address.any.sa_family == AF_UNSPEC)
            passage = record;
        else if (count < room)
            show(&record.hello, &ends[count++]);
    }
    if (all == WAYS)
        return room + 1;
    if (count == 0 && all > 0 && room > 0)
        show(&passage.hello, &ends[count++]);
    else if (count > 0)
        count = tg_begun_add(random, ends, room, count);
    return count;
}

/* What became of the packet with the number TICKET. */
enum initial {
    UNSENT, /* not noted yet; as that is done before it is sent, nobody can have answered it */
    WRITTEN,
    GONE /* a later packet took its slot */
};

static enum initial read_initial(uint64_t ticket, union record *record)
{
    const tg_slot_word *slot = initials[ticket % INITIALS];

    if (tg_slot_read(slot, record->words, WORDS) == ticket * 2)
        return WRITTEN;
    return tg_slot_newest(slot) > ticket * 2 ? GONE : UNSENT;
}

uint64_t tg_hellos_initials(uint64_t since, struct tg_inject_end *ends, unsigned room,
                            unsigned *count)
{
    uint64_t now = atomic_load(&newest_initial);
    union record record;

    *count = 0;
    if (atomic_load(&lost_initial) > since)
        *count = room + 1;
    for (uint64_t ticket = now; ticket > since && *count <= room; ticket--) {
        enum initial found = read_initial(ticket, &record);
        bool known = found == UNSENT;

        if (now - ticket >= INITIALS || found == GONE) {
            *count = room + 1;
            return now;
        }
        for (unsigned i = 0; i < *count && !known; i++)
            known = memcmp(&ends[i].address, record.hello.address.words,
                           sizeof(record.hello.address)) == 0;
        if (known)
            continue;
        if (*count < room)
            show(&record.hello, &ends[*count]);
        ++*count;
    }
    return now;
}
