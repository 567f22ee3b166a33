/*
 * wire.h - has the gate called with each byte that a connection reads or writes until there is a
 * verdict, and after a refusal lets nothing through. BoringSSL's BIOs call no one: nothing happens
 * there.
 */
#ifndef TG_WIRE_H
#define TG_WIRE_H

#include "state.h"

/* Who is told of what a connection does. */
struct tg_wire_watcher {
    /* Puts the gate back, and judges a handshake that has ended without a verdict. */
    void (*look)(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state);
    /* Puts the gate back. */
    bool (*restore)(const struct tg_hooked *hooked, SSL *ssl);
    /* The same, and judges a handshake that is over but for what its application is told of it. */
    void (*end)(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state);
};

/* Registers once for each library context; WATCHER is the same each time. False if LIBRARY
 * refuses. */
TG_MUST_USE bool tg_wire_register(struct tg_cryptolib *library,
                                  const struct tg_wire_watcher *watcher);

/*
 * The watcher's look is called with each byte that the connection reads or writes, if it is WANTED,
 * until tg_wire_leave; and its restore at the end of each verification.
 */
void tg_wire_watch(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state,
                   bool wanted);

/*
 * To be called while the ClientHello is made, of a connection that is watched: the gate is put back
 * at the end of the handshake too, whatever the application does to it and to its BIOs until then.
 * False: no memory.
 */
TG_MUST_USE bool tg_wire_await_end(const struct tg_hooked *hooked, SSL *ssl,
                                   struct tg_connection_state *state);

/* The connection was refused: nothing more is read or written for it until it begins anew. STATE
 * may be NULL. */
void tg_wire_stop(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state);

void tg_wire_leave(struct tg_connection_state *state);

#endif
