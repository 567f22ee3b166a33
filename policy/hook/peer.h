/*
 * peer.h - who is at the other end of a connection: told once, when its first handshake starts, and
 * kept with it, as the facts that it is told from change later by others' doing. What can't be had
 * is unknown; nothing is guessed.
 */
#ifndef TG_PEER_H
#define TG_PEER_H

#include "host.h"
#include "state.h"

/* Who may be at the other end. */
struct tg_candidate {
    char host[TG_HOST_SIZE]; /* canonical, or what the language can't spell; empty: unknown */
    unsigned port;           /* 0: unknown */
    unsigned end;            /* candidates with one number are of one place */
};

/*
 * A name that the program gave is the identity; without one, the names that it looked up and the
 * address are candidates, of each place that the connection may lead to.
 */
#define TG_CANDIDATES 8
struct tg_peer {
    bool named;          /* the program gave the host its name */
    bool placed;         /* it is known where the connection leads */
    bool searched;       /* the process's sockets were looked at for that */
    bool own;            /* its own descriptor, or where it was sent: no other one counts */
    bool datagrams;      /* as DTLS and QUIC have it */
    uint64_t since;      /* QUIC connections begun before aren't this one */
    const char *unknown; /* why host or port isn't known; NULL: no reason is told */
    unsigned shown;      /* the candidate that verdicts and logs name */
    unsigned count;      /* at least 1 */
    struct tg_candidate candidates[TG_CANDIDATES];
};
void tg_peer_of(const struct tg_hooked *hooked, SSL *ssl, struct tg_peer *peer);

/*
 * Where it isn't known where the connection leads: all places that it may lead to become
 * candidates, by the sockets of the process. True if PEER has changed.
 */
bool tg_peer_search(struct tg_peer *peer);

/* Another handshake starts: it may be with another peer. */
void tg_peer_forget(struct tg_connection_state *state);

/* The host and port that verdicts name; NULL and 0: unknown. */
const char *tg_peer_host(const struct tg_peer *peer);
unsigned tg_peer_port(const struct tg_peer *peer);
/* The port for a log line: also where all of the process's few connections have the same. */
unsigned tg_peer_shown_port(const struct tg_peer *peer);

/* What the preload sees of the process's sockets. */
void tg_peer_set_sockets(const struct tg_inject_sockets *sockets);

#endif
