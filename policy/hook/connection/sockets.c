#include "sockets.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_ONCE   128
#define LISTENERS 64

unsigned tg_socket_port(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)address)->sin_port);
    if (address->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return 0;
}

const void *tg_socket_bytes(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET
               ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
               : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
}

static bool peer_of(int descriptor, struct sockaddr_storage *peer)
{
    socklen_t length = sizeof(*peer);

    memset(peer, 0, sizeof(*peer));
    return getpeername(descriptor, (struct sockaddr *)peer, &length) == 0;
}

static int option(int descriptor, int level, int name)
{
    int value = 0;
    socklen_t length = sizeof(value);

    return getsockopt(descriptor, level, name, &value, &length) == 0 ? value : -1;
}

bool tg_socket_peer(int descriptor, int type, struct sockaddr_storage *peer)
{
    return descriptor >= 0 && option(descriptor, SOL_SOCKET, SO_TYPE) == type &&
           peer_of(descriptor, peer) && tg_socket_port(peer) != 0;
}

enum tg_socket_now tg_socket_now(int descriptor, struct sockaddr_storage *peer)
{
    if (!peer_of(descriptor, peer))
        return errno == ENOTCONN ? TG_SOCKET_UNCONNECTED : TG_SOCKET_OTHER;
    return tg_socket_port(peer) != 0 ? TG_SOCKET_CONNECTED : TG_SOCKET_OTHER;
}

static bool local_of(int descriptor, struct sockaddr_storage *local)
{
    socklen_t length = sizeof(*local);

    memset(local, 0, sizeof(*local));
    return getsockname(descriptor, (struct sockaddr *)local, &length) == 0 &&
           tg_socket_port(local) != 0;
}

/* What the sockets of the process come to. */
struct search {
    int type;
    struct sockaddr_storage *peers;
    unsigned room, count;
    const char *doubt; /* why there may be others */
    struct sockaddr_storage *listening;
    unsigned listening_count;
    uint64_t open[TG_SOCKETS_MOST / 64]; /* a bit for each descriptor */
};

/* A listener has the address family of what it accepts; the address zero stands for any. */
static bool accepts_at(const struct sockaddr_storage *listener,
                       const struct sockaddr_storage *local)
{
    static const uint8_t any[sizeof(struct in6_addr)];
    size_t size = listener->ss_family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);

    return listener->ss_family == local->ss_family &&
           tg_socket_port(listener) == tg_socket_port(local) &&
           (memcmp(tg_socket_bytes(listener), any, size) == 0 ||
            memcmp(tg_socket_bytes(listener), tg_socket_bytes(local), size) == 0);
}

/* connect(2) takes no place at which someone listens, unless that is to be shared. */
static bool is_accepted(const struct search *search, int descriptor)
{
    struct sockaddr_storage local;

    if (search->listening_count == 0 || !local_of(descriptor, &local))
        return false;
    for (unsigned i = 0; i < search->listening_count; i++)
        if (accepts_at(&search->listening[i], &local))
            return true;
    return false;
}

/* What Linux's struct tcp_info has behind the end of libc's, since Linux 4.1. */
struct tcp_counts {
    struct tcp_info info;
    uint64_t pacing, most_pacing, acknowledged, received;
};

/*
 * TCP Fast Open writes before it is connected; a datagram socket never needs to be. A connection
 * that has ended has no peer any more, but what came from there may be yet to be looked at.
 */
static const char *doubt_of(int descriptor)
{
    struct tcp_counts counts = {.received = 1};
    socklen_t length = sizeof(counts);
    int type = option(descriptor, SOL_SOCKET, SO_TYPE);

    if (type == SOCK_DGRAM)
        return "a socket of the process isn't connected yet";
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &counts, &length) != 0)
        return NULL;
    if (counts.info.tcpi_state == TCP_SYN_SENT ||
        option(descriptor, IPPROTO_TCP, TCP_FASTOPEN_CONNECT) > 0)
        return "a socket of the process isn't connected yet";
    if (counts.info.tcpi_state == TCP_CLOSE && counts.received > 0)
        return "a connection of the process has ended, whose socket is still there";
    return NULL;
}

static void see_listener(struct search *search, int descriptor)
{
    if (search->listening_count < LISTENERS && option(descriptor, SOL_SOCKET, SO_ACCEPTCONN) > 0 &&
        option(descriptor, SOL_SOCKET, SO_REUSEPORT) <= 0 &&
        local_of(descriptor, &search->listening[search->listening_count]))
        search->listening_count++;
}

static void see_unconnected(struct search *search, int descriptor)
{
    int family = option(descriptor, SOL_SOCKET, SO_DOMAIN);

    if ((family == AF_INET || family == AF_INET6) &&
        option(descriptor, SOL_SOCKET, SO_TYPE) == search->type)
        search->doubt = doubt_of(descriptor);
}

static void see(struct search *search, int descriptor)
{
    struct sockaddr_storage peer;

    if (!peer_of(descriptor, &peer)) {
        if (errno == ENOTCONN)
            see_unconnected(search, descriptor);
        return;
    }
    if (tg_socket_port(&peer) == 0)
        return;
    for (unsigned i = 0; i < search->count; i++)
        if (memcmp(&search->peers[i], &peer, sizeof(peer)) == 0)
            return;
    if (is_accepted(search, descriptor) || option(descriptor, SOL_SOCKET, SO_TYPE) != search->type)
        return;
    if (search->count == search->room)
        search->doubt = "it has connections to more hosts than can be looked at";
    else
        search->peers[search->count++] = peer;
}

/* The size of the thread's table of descriptors (proc(5)), which ends behind the last one. */
static long table_size(void)
{
    char text[2048];
    const char *line = NULL;
    int file = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, sizeof(text) - 1) : -1;

    if (file >= 0)
        (void)close(file);
    if (length <= 0)
        return -1;
    text[length] = '\0';
    line = strstr(text, "\nFDSize:");
    return line != NULL ? strtol(line + sizeof("\nFDSize:") - 1, NULL, 10) : -1;
}

/*
 * Marks those of COUNT descriptors from FIRST on that are open. One call tells which those are, and
 * that of those which can be written to none listens.
 */
static void look(struct search *search, int first, int count)
{
    struct pollfd some[AT_ONCE];
    bool told;

    for (int i = 0; i < count; i++)
        some[i] = (struct pollfd){.fd = first + i, .events = POLLOUT};
    told = poll(some, (nfds_t)count, 0) >= 0;
    for (int i = 0; i < count; i++) {
        int descriptor = first + i;

        if (told && some[i].revents & POLLNVAL)
            continue;
        search->open[descriptor / 64] |= UINT64_C(1) << descriptor % 64;
        if (!told || !(some[i].revents & POLLOUT))
            see_listener(search, descriptor);
    }
}

/* getdents64(2), of which glibc has a function since 2.30. */
static ssize_t read_folder(int folder, void *entries, size_t size)
{
    return (ssize_t)syscall(SYS_getdents64, folder, entries, size);
}

/*
 * Marks those that are open, where they are so few that to list them takes less than to read how
 * many there may be. Returns the number behind the last one; -1: they aren't few, or can't be told.
 */
static long list_few(struct search *search)
{
    _Alignas(struct dirent64) char entries[1024], rest[sizeof(struct dirent64)];
    int folder = open("/proc/thread-self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ssize_t length = folder >= 0 ? read_folder(folder, entries, sizeof(entries)) : -1;
    long end = length > 0 && read_folder(folder, rest, sizeof(rest)) == 0 ? 0 : -1;

    for (ssize_t at = 0; end >= 0 && at < length;) {
        const struct dirent64 *entry = (const void *)(entries + at);
        long descriptor = entry->d_name[0] != '.' ? strtol(entry->d_name, NULL, 10) : folder;

        at += entry->d_reclen;
        if (descriptor == folder)
            continue;
        if (descriptor >= TG_SOCKETS_MOST) {
            end = -1;
            break;
        }
        search->open[descriptor / 64] |= UINT64_C(1) << descriptor % 64;
        see_listener(search, (int)descriptor);
        end = descriptor >= end ? descriptor + 1 : end;
    }
    if (folder >= 0)
        (void)close(folder);
    return end;
}

/* Marks those that are open; *SIZE is as list_few returns it. NULL, or why there may be others. */
static const char *list(struct search *search, int most, long *size)
{
    *size = list_few(search);
    if (*size >= 0)
        return NULL;
    *size = table_size();
    if (*size < 0)
        return "/proc can't be read";
    if (*size > most)
        return "it has more descriptors than can be looked at";
    for (int first = 0; first < *size; first += AT_ONCE)
        look(search, first, *size - first < AT_ONCE ? (int)*size - first : AT_ONCE);
    return NULL;
}

const char *tg_sockets_peers(int type, int most, struct sockaddr_storage *peers, unsigned room,
                             unsigned *count)
{
    struct search search = {.type = type, .peers = peers, .room = room};
    long size = 0;

    *count = 0;
    search.listening = malloc(LISTENERS * sizeof(search.listening[0]));
    if (search.listening == NULL)
        return "memory ran out";
    search.doubt = list(&search, most, &size);
    for (long i = 0; i < size && search.doubt == NULL; i++)
        if (search.open[i / 64] >> i % 64 & 1)
            see(&search, (int)i);
    free(search.listening);
    *count = search.doubt == NULL ? search.count : 0;
    return search.doubt;
}
