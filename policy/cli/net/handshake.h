/* handshake.h - what a TLS server presents when it is asked as a client asks. */
#ifndef TG_HANDSHAKE_H
#define TG_HANDSHAKE_H

#include "presented.h"
#include "stream.h"
#include "trustgraft.h"

/*
 * To be called before anything else of libcrypto: this process's connections aren't to be under
 * a provider of openssl.cnf that would refuse them.
 */
void tg_handshake_prepare(void);

/*
 * Makes a TLS handshake on STREAM with any server, sends no application data, and fills
 * PRESENTED, whose chain has at least one certificate then. HOST is sent as the server's name
 * if it is one. False with a sentence in WHY, in which the server's words stand as they are. NOTE
 * says what is worth knowing all the same.
 */
TG_MUST_USE bool tg_handshake(struct tg_stream *stream, const char *host,
                              struct tg_presented *presented, struct tg_buf *why,
                              struct tg_buf *note);

/* "TLS 1.3" for the numbers of SSL_version(3). */
const char *tg_handshake_version(int version);

#endif
