/*
 * seat.h - where an SSL_CTX keeps what SSL_CTX_set_cert_verify_callback(3) sets. OpenSSL has no
 * getter for it, in any version; so that an application's own is known which was set past us, the
 * place is found in each new context by what changes there.
 */
#ifndef TG_SEAT_H
#define TG_SEAT_H

#include "libssl.h"

/* What stands there. */
struct tg_seated {
    int (*callback)(X509_STORE_CTX *, void *);
    void *arg;
};

/*
 * The place in CONTEXT, an offset in bytes; 0: it can't be told. CONTEXT is being made, and nobody
 * else's yet: what is set there is overwritten, and to be set after this. For OpenSSL alone.
 */
size_t tg_seat_find(const struct tg_libssl *libssl, SSL_CTX *context);

/* What stands at SEAT, which tg_seat_find gave for CONTEXT. For the thread that uses CONTEXT. */
struct tg_seated tg_seat_read(const SSL_CTX *context, size_t seat);

#endif
