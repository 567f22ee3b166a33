/*
 * sockets.h - the sockets of this process that a connection may run over whose bytes the
 * application moves by itself: all of them, for there is no telling which is meant.
 */
#ifndef TG_SOCKETS_H
#define TG_SOCKETS_H

#include <stdbool.h>
#include <sys/socket.h>

/* The peer's port, in host order; 0: ADDRESS is none of IP. */
unsigned tg_socket_port(const struct sockaddr_storage *address);

/* The bytes of ADDRESS, which is one of IP: four, or of IPv6 sixteen; they lie in it. */
const void *tg_socket_bytes(const struct sockaddr_storage *address);

/* The peer of DESCRIPTOR, if that is a connected socket of TYPE (SOCK_STREAM...) over IP. */
bool tg_socket_peer(int descriptor, int type, struct sockaddr_storage *peer);

/* What DESCRIPTOR is by now, which was a connected socket over IP: still one, with a PEER; one that
 * has none any more; or something else. */
enum tg_socket_now { TG_SOCKET_CONNECTED, TG_SOCKET_UNCONNECTED, TG_SOCKET_OTHER };
enum tg_socket_now tg_socket_now(int descriptor, struct sockaddr_storage *peer);

/* How many descriptors are looked at: where the verdict depends on it, or a log line alone. */
enum { TG_SOCKETS_MOST = 8192, TG_SOCKETS_FEW = 256 };

/*
 * The different peers of the process's connected sockets of TYPE over IP that it didn't accept
 * from a listener of its own: into PEERS, at most ROOM; *COUNT says how many. NULL, or why there
 * may be others, as half a sentence; then *COUNT is 0. MOST: one of the above.
 */
const char *tg_sockets_peers(int type, int most, struct sockaddr_storage *peers, unsigned room,
                             unsigned *count);

#endif
