/*
 * line.c - who is at the other end of a connection.
 *
 * The facts: the names that the application gave the library; where the connection leads, by
 * its own socket, or by the one that its ClientHello went to; the names that had been looked up
 * for that address. They are gathered at the start of a handshake; where the connection leads
 * may be seen only once its ClientHello is out. Of what can't be had nothing is guessed. What has
 * come to it by the time of the verdict adds demands, and takes none away.
 */
#include "line.h"
#include "sockets.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* As many places as a connection may lead to. */
#define ENDS 8

static const struct tg_inject_sockets *_Atomic sockets;

void tg_peer_set_sockets(const struct tg_inject_sockets *given)
{
    atomic_store_explicit(&sockets, given, memory_order_release);
}

static const struct tg_inject_sockets *preload(void)
{
    return atomic_load_explicit(&sockets, memory_order_acquire);
}

/* ---- where the connection leads ---- */

/* ADDRESS, which is one of IP, as candidates have it. */
static bool spell_address(const struct sockaddr_storage *address, char host[TG_HOST_SIZE])
{
    char text[INET6_ADDRSTRLEN] = "";

    if (inet_ntop(address->ss_family, tg_socket_bytes(address), text, sizeof(text)) == NULL)
        return false;
    tg_peer_spell(text, host);
    return true;
}

static void add_end(struct tg_peer *peer, const struct tg_inject_end *at, unsigned end)
{
    unsigned port = tg_socket_port(&at->address);
    char host[TG_HOST_SIZE];

    for (unsigned i = 0; i < at->names.count; i++) {
        tg_peer_spell(at->names.name[i], host);
        tg_peer_add(peer, host, port, end);
    }
    if (spell_address(&at->address, host)) {
        tg_peer_add(peer, host, port, end);
        if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0) /* ip(7): this host */
            tg_peer_add(peer, host[0] == '0' ? "127.0.0.1" : "::1", port, end);
    }
    if (at->names.more) {
        peer->unknown = "more names were looked up for its address than are remembered";
        tg_peer_add(peer, "", port, end);
    }
}

/* Of a peer that isn't placed yet, the names alone; how many there are. */
static unsigned keep_given(struct tg_peer *peer)
{
    unsigned given = 0;

    for (unsigned i = 0; i < peer->count; i++)
        if (peer->named || peer->candidates[i].host[0] != '\0')
            peer->candidates[given++] = peer->candidates[i];
    peer->count = given;
    return given;
}

/* The connection leads to one of ENDS. A name that was given stays, and gets their ports. */
static void place(struct tg_peer *peer, const struct tg_inject_end *ends, unsigned count)
{
    unsigned given = keep_given(peer);

    peer->unknown = NULL;
    peer->placed = true;
    peer->generation = 0;
    for (unsigned i = 0; i < given; i++)
        peer->candidates[i].port = tg_socket_port(&ends[0].address);
    for (unsigned i = 0; i < count; i++) {
        if (!peer->named)
            add_end(peer, &ends[i], i);
        for (unsigned j = 0; j < given; j++)
            tg_peer_add(peer, peer->candidates[j].host, tg_socket_port(&ends[i].address), i);
    }
}

static void find_names(int descriptor, struct tg_inject_end *end)
{
    const struct tg_inject_sockets *from = preload();

    end->names.count = 0;
    end->names.more = false;
    if (from != NULL)
        from->names(descriptor, (const void *)&end->address, sizeof(end->address), &end->names);
}

/* By its own descriptor. FIRST: nothing has come in yet. */
static bool place_by_socket(struct tg_peer *peer, const struct tg_line *line, bool first)
{
    int descriptor = line->operations->descriptor(line);
    struct tg_inject_end end;

    if (!(peer->own = descriptor >= 0))
        return false;
    if (!tg_socket_peer(descriptor, SOCK_STREAM, &end.address) &&
        !tg_socket_peer(descriptor, SOCK_DGRAM, &end.address) &&
        !(first && line->operations->sender(line, &end.address))) {
        peer->unknown = "its descriptor is no connected socket of IP";
        return false;
    }
    find_names(descriptor, &end);
    place(peer, &end, 1);
    peer->descriptor = descriptor;
    return true;
}

/* True if PEER was told to be at ADDRESS: of a named one that is the port alone. */
static bool is_at(const struct tg_peer *peer, const struct sockaddr_storage *address)
{
    char host[TG_HOST_SIZE];

    if (!spell_address(address, host))
        return false;
    for (unsigned i = 0; i < peer->count; i++)
        if (peer->candidates[i].port == tg_socket_port(address) &&
            (peer->named || strcmp(peer->candidates[i].host, host) == 0))
            return true;
    return false;
}

/* One place more; without an address it is unknown. */
static void add_place(struct tg_peer *peer, const struct tg_inject_end *at)
{
    unsigned before = peer->count, end = 0;

    for (unsigned i = 0; i < before; i++)
        if (end <= peer->candidates[i].end)
            end = peer->candidates[i].end + 1;
    if (at == NULL)
        tg_peer_add(peer, "", 0, end);
    else if (!peer->named)
        add_end(peer, at, end);
    for (unsigned i = 0; at != NULL && peer->named && i < before; i++)
        tg_peer_add(peer, peer->candidates[i].host, tg_socket_port(&at->address), end);
}

/*
 * The program may have carried the connection elsewhere since, by another descriptor or by what it
 * did to this one. A server that has said all and is gone leaves a socket without a peer.
 */
static void follow(struct tg_peer *peer, const struct tg_line *line)
{
    int descriptor = line->operations->descriptor(line);
    struct tg_inject_end end;
    enum tg_socket_now now;

    if (!peer->placed || !peer->own)
        return;
    now = tg_socket_now(descriptor, &end.address);
    if (now == TG_SOCKET_UNCONNECTED && peer->datagrams)
        now = line->operations->sender(line, &end.address) ? TG_SOCKET_CONNECTED : TG_SOCKET_OTHER;
    if (now == TG_SOCKET_CONNECTED && !is_at(peer, &end.address)) {
        find_names(descriptor, &end);
        add_place(peer, &end);
    } else if (now == TG_SOCKET_OTHER ||
               (now == TG_SOCKET_UNCONNECTED && descriptor != peer->descriptor)) {
        peer->unknown = "its descriptor isn't the socket any more that it was";
        add_place(peer, NULL);
    }
}

/* By the socket that the ClientHello went to. Encrypted as QUIC has it, it can't be told from
 * others of its time. */
static void place_by_hello(struct tg_peer *peer, const struct tg_line *line)
{
    const struct tg_inject_sockets *from = preload();
    static const uint8_t none[TG_INJECT_RANDOM_SIZE];
    uint8_t random[TG_INJECT_RANDOM_SIZE];
    unsigned count = 0;
    struct tg_inject_end *ends = from != NULL ? malloc(ENDS * sizeof(*ends)) : NULL;

    if (ends == NULL) /* on the heap, for a host's threads may have small stacks */
        return;
    if (line->operations->random(line, random) && memcmp(random, none, sizeof(random)) != 0)
        count = from->hello(random, ends, ENDS);
    peer->own = count > ENDS || (count > 0 && ends[0].address.ss_family == AF_UNSPEC);
    if (peer->own)
        peer->unknown = count > ENDS ? "its ClientHello went to more places than are told"
                                     : "its ClientHello went to no socket of IP";
    else if (count == 0 && peer->datagrams)
        (void)from->initials(peer->since, ends, ENDS, &count);
    if (!peer->own && count > 0 && count <= ENDS)
        place(peer, ends, count);
    free(ends);
}

static int type_of(const struct tg_peer *peer)
{
    return peer->datagrams ? SOCK_DGRAM : SOCK_STREAM;
}

bool tg_peer_search(struct tg_peer *peer)
{
    struct sockaddr_storage peers[ENDS];
    struct tg_inject_end *ends = NULL;
    unsigned count = 0;

    if (peer->placed || peer->searched || peer->own)
        return false;
    peer->searched = true;
    peer->unknown = tg_sockets_peers(type_of(peer), TG_SOCKETS_MOST, peers, ENDS, &count);
    if (peer->unknown == NULL && count == 0)
        peer->unknown = "the process has no connection that it could be";
    if (count > 0)
        ends = malloc(count * sizeof(*ends));
    if (ends == NULL)
        return false;
    for (unsigned i = 0; i < count; i++) {
        ends[i].address = peers[i];
        find_names(-1, &ends[i]);
    }
    place(peer, ends, count);
    free(ends);
    return true;
}

unsigned tg_peer_shown_port(const struct tg_peer *peer)
{
    struct sockaddr_storage peers[ENDS];
    unsigned port = tg_peer_port(peer), count = 0;

    if (port != 0 || peer->placed || peer->searched || peer->own ||
        tg_sockets_peers(type_of(peer), TG_SOCKETS_FEW, peers, ENDS, &count) != NULL || count == 0)
        return port;
    for (unsigned i = 1; i < count; i++)
        if (tg_socket_port(&peers[i]) != tg_socket_port(&peers[0]))
            return 0;
    return tg_socket_port(&peers[0]);
}

/* ---- once for a connection ---- */

static void begin(struct tg_peer *peer, const struct tg_line *line)
{
    const struct tg_inject_sockets *from = preload();
    unsigned ignored;

    memset(peer, 0, offsetof(struct tg_peer, candidates));
    peer->datagrams = line->operations->datagrams(line);
    if (peer->datagrams && from != NULL)
        peer->since = from->initials(UINT64_MAX, NULL, 0, &ignored);
    line->operations->names(line, peer, false);
    if (!place_by_socket(peer, line, line->kept != NULL) && peer->count == 0) {
        if (peer->unknown == NULL)
            peer->unknown = "the program names none, and gives the library no socket";
        tg_peer_add(peer, "", 0, 0);
    }
}

/* Without memory it is told anew each time, which may come out otherwise: then it's unknown. */
static void keep(struct tg_peer **kept, struct tg_peer *peer)
{
    size_t size = offsetof(struct tg_peer, candidates) + peer->count * sizeof(peer->candidates[0]);

    free(*kept);
    *kept = malloc(size);
    if (*kept != NULL) {
        memcpy(*kept, peer, size);
        return;
    }
    peer->unknown = "memory ran out";
    peer->count = 0;
    peer->placed = true;
    tg_peer_add(peer, "", 0, 0);
}

void tg_line_peer(const struct tg_line *line, struct tg_peer *peer)
{
    const struct tg_peer *kept = line->kept != NULL ? *line->kept : NULL;

    if (kept != NULL)
        memcpy(peer, kept,
               offsetof(struct tg_peer, candidates) + kept->count * sizeof(peer->candidates[0]));
    else
        begin(peer, line);
    if (!peer->placed && kept != NULL)
        (void)place_by_socket(peer, line, false);
    if (!peer->placed && !peer->own)
        place_by_hello(peer, line);
    if (line->kept != NULL && (kept == NULL || peer->placed != kept->placed))
        keep(line->kept, peer);
}

void tg_line_peer_at_verdict(const struct tg_line *line, struct tg_peer *peer)
{
    unsigned before;

    tg_line_peer(line, peer);
    before = peer->count;
    follow(peer, line);
    line->operations->names(line, peer, true);
    if (line->kept != NULL && peer->count != before)
        keep(line->kept, peer);
}
