/*
 * candidate.h - the hosts and ports that may be at the other end of a connection, and which rule
 * applies to each. Of more than there is room for, the last is unknown, which no rule lets pass
 * that could depend on it.
 */
#ifndef TG_CANDIDATE_H
#define TG_CANDIDATE_H

#include "host.h"
#include "match.h"
#include "state.h"

/* Who may be at the other end. */
struct tg_candidate {
    char host[TG_HOST_SIZE]; /* canonical, or what the language can't spell; empty: unknown */
    unsigned port;           /* 0: unknown */
    unsigned end;            /* candidates with one number are of one place */
    struct tg_match match;   /* what applies, under the policy of tg_peer.generation */
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
    int descriptor;      /* its own one, by which it was placed */
    uint64_t since;      /* QUIC connections begun before aren't this one */
    const char *unknown; /* why host or port isn't known; NULL: no reason is told */
    unsigned shown;      /* the candidate that verdicts and logs name */
    unsigned count;      /* at least 1 */
    uint64_t generation; /* of the policy whose matches CANDIDATES have; 0: of none */
    struct tg_candidate candidates[TG_CANDIDATES];
};

/* One candidate more, unless it is there already. HOST is spelled as tg_peer_spell does. */
void tg_peer_add(struct tg_peer *peer, const char *host, unsigned port, unsigned end);

/*
 * What no pattern can spell is kept as it was given, from its end on where it is too long. A
 * number in another form than the usual four is the address that inet_aton(3) makes of it.
 */
void tg_peer_spell(const char *name, char out[TG_HOST_SIZE]);

/*
 * Sees to it that each candidate has its match under POLICY: looked up once, and anew where a
 * candidate was added or placed since, or POLICY is of another generation.
 */
void tg_peer_match(struct tg_peer *peer, const tg_policy *policy);

/* Keeps the matches of PEER with its connection, whose candidates are the same. */
void tg_peer_keep_matches(struct tg_connection_state *state, const struct tg_peer *peer);

/* The host and port that verdicts name; NULL and 0: unknown. */
const char *tg_peer_host(const struct tg_peer *peer);
unsigned tg_peer_port(const struct tg_peer *peer);

#endif
