/*
 * hellos.h - to whom this process has sent which ClientHello: how the socket is found of a
 * connection whose bytes the application writes by itself.
 */
#ifndef TG_HELLOS_H
#define TG_HELLOS_H

#include "inject.h"
#include <sys/uio.h>

/* From now on what is sent is looked at. */
void tg_hellos_start(void);
TG_MUST_USE bool tg_hellos_started(void);

/*
 * The COUNT pieces of DATA are about to be written to DESCRIPTOR, to ADDRESS where that isn't
 * NULL. If they begin like a ClientHello of TLS or DTLS, its random and the peer are noted, also
 * that it went to another process; of a QUIC Initial packet the peer. Async-signal-safe, as
 * write(2) is; preserves errno. What can't be read isn't looked at: the kernel says so by EFAULT.
 */
void tg_hellos_note(int descriptor, const struct iovec *data, size_t count, const void *address,
                    socklen_t length);

/*
 * The same of what write(2) has sent, SENT bytes or -1, before its caller knows: so nothing has to
 * be asked of the kernel first. Should another thread have read the answer by then, no socket is
 * known yet of the connection. Not of a QUIC Initial: see tg_hellos_initials.
 */
void tg_hellos_sent(int descriptor, const struct iovec *data, size_t count, ssize_t sent);

/* tg_inject_sockets: see inject.h. */
unsigned tg_hellos_find(const uint8_t random[TG_INJECT_RANDOM_SIZE], struct tg_inject_end *ends,
                        unsigned room);
uint64_t tg_hellos_initials(uint64_t since, struct tg_inject_end *ends, unsigned room,
                            unsigned *count);

#endif
