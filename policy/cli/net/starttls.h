/* starttls.h - from the plain beginning of a protocol to the place where TLS begins. */
#ifndef TG_STARTTLS_H
#define TG_STARTTLS_H

#include "stream.h"
#include "trustgraft.h"

struct tg_starttls;

/* The protocol called NAME, as trustgraft-explain(1) lists them. NULL after a complaint. */
const struct tg_starttls *tg_starttls_find(const char *name);

/* The same, with the complaint in WHY. */
const struct tg_starttls *tg_starttls_named(const char *name, struct tg_buf *why);

/* Its port where none is given. */
unsigned tg_starttls_port(const struct tg_starttls *protocol);

/*
 * Asks the server on STREAM, which is dialled as HOST, a canonical name, for TLS. True if the next
 * byte on both sides is TLS's; else WHY is a sentence, in which the server's words stand as they
 * are. Lines, their number and the time are bounded.
 */
TG_MUST_USE bool tg_starttls(const struct tg_starttls *protocol, struct tg_stream *stream,
                             const char *host, struct tg_buf *why);

#endif
