/*
 * ends.h - where the sockets of this process lead to, as it was when they were connected: the
 * address, and the names that had led to that address by then. A record is bound to the socket by
 * its cookie (SO_COOKIE, socket(7)), so that it holds for duplicates of the descriptor, and no
 * other socket of the same number inherits it.
 */
#ifndef TG_ENDS_H
#define TG_ENDS_H

#include "inject.h"

/*
 * DESCRIPTOR is about to be connected to ADDRESS. Async-signal-safe, as connect(2) is; preserves
 * errno.
 */
void tg_ends_connect(int descriptor, const struct sockaddr *address, socklen_t length);

/* The same of what is about to be sent to ADDRESS. A datagram leaves its socket free for others. */
void tg_ends_send(int descriptor, const struct sockaddr *address, socklen_t length);

/*
 * Whether the socket that was connected last as DESCRIPTOR was one of datagrams: a guess that costs
 * no system call.
 */
TG_MUST_USE bool tg_ends_datagrams(int descriptor);

/*
 * The address that connect(2) was called with for DESCRIPTOR, for a socket that isn't connected yet
 * (TCP Fast Open). False if it isn't known.
 */
TG_MUST_USE bool tg_ends_address(int descriptor, struct sockaddr_storage *address);

/*
 * The names that led to PEER when DESCRIPTOR was connected; the names that lead to PEER now where
 * that isn't known, or DESCRIPTOR is -1; both where it is connected to another address than
 * connect(2) was called with, as the kernel or a proxy may have it. Takes no lock.
 */
void tg_ends_names(int descriptor, const struct sockaddr *peer, socklen_t length,
                   struct tg_inject_names *names);

#endif
