/*
 * view.h - what the preload sees of the process's sockets, and the hook asks it for: to whom this
 * process is connected, and under which names.
 */
#ifndef TG_VIEW_H
#define TG_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Names that this process looked up and that led to an address; MORE: some may be missing. */
#define TG_INJECT_NAMES     4
#define TG_INJECT_NAME_SIZE 256 /* 253 bytes, a dot and NUL (RFC 1035 section 2.3.4) */
struct tg_inject_names {
    unsigned count;
    bool more;
    char name[TG_INJECT_NAMES][TG_INJECT_NAME_SIZE]; /* the newest first */
};

/* Where something was sent to. */
struct tg_inject_end {
    struct sockaddr_storage address;
    struct tg_inject_names names;
};

/* What the preload sees of the process's sockets. All are safe in threads, and preserve errno. */
#define TG_INJECT_RANDOM_SIZE 32
struct tg_inject_sockets {
    /* The names that had led to PEER when DESCRIPTOR, a socket or -1, was connected. */
    void (*names)(int descriptor, const struct sockaddr *peer, socklen_t length,
                  struct tg_inject_names *names);
    /*
     * Where the ClientHello with this random went: how many ENDS, more than ROOM where not all are
     * told; 0: not seen. One without a family: to another process, and no further by this one.
     */
    unsigned (*hello)(const uint8_t random[TG_INJECT_RANDOM_SIZE], struct tg_inject_end *ends,
                      unsigned room);
    /*
     * Where QUIC connections were begun after SINCE, an earlier return value: *COUNT different
     * ENDS, more than ROOM where not all are told. Returns where that number stands now.
     */
    uint64_t (*initials)(uint64_t since, struct tg_inject_end *ends, unsigned room,
                         unsigned *count);
};

#endif
