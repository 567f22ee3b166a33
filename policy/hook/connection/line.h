/*
 * line.h - a connection, whatever TLS library it belongs to, and who is at the other end of it:
 * told once, when its first handshake starts, and kept with it, as the facts that it is told from
 * change later by others' doing. What can't be had is unknown; nothing is guessed. What the program
 * itself changes before the verdict is added.
 */
#ifndef TG_LINE_H
#define TG_LINE_H

#include "candidate.h"

struct tg_line;

/* What a library tells of a connection. */
struct tg_line_operations {
    /* The descriptor that it is written to; -1: none is known. */
    int (*descriptor)(const struct tg_line *line);
    bool (*datagrams)(const struct tg_line *line);
    /* Where its datagrams go, whose socket isn't connected; once one has come, its sender. */
    bool (*sender)(const struct tg_line *line, struct sockaddr_storage *address);
    /* That of its ClientHello; false: there is none yet. */
    bool (*random)(const struct tg_line *line, uint8_t random[TG_INJECT_RANDOM_SIZE]);
    /* Adds the names that the program gave, as they stand now, which may be AT_VERDICT. */
    void (*names)(const struct tg_line *line, struct tg_peer *peer, bool at_verdict);
};

struct tg_line {
    const struct tg_line_operations *operations;
    struct tg_peer **kept; /* where the connection keeps it, malloc'd; NULL: nowhere */
};

/* Fills *PEER: what is kept with the connection, and what can be told by now. */
void tg_line_peer(const struct tg_line *line, struct tg_peer *peer);

/* The same for a verdict: names that the program has given by now, and another place that the
 * connection leads to by now, become candidates too, and are kept. */
void tg_line_peer_at_verdict(const struct tg_line *line, struct tg_peer *peer);

/*
 * Where it isn't known where the connection leads: all places that it may lead to become
 * candidates, by the sockets of the process. True if PEER has changed.
 */
bool tg_peer_search(struct tg_peer *peer);

/* The port for a log line: also where all of the process's few connections have the same. */
unsigned tg_peer_shown_port(const struct tg_peer *peer);

/* What the preload sees of the process's sockets. */
void tg_peer_set_sockets(const struct tg_inject_sockets *sockets);

#endif
