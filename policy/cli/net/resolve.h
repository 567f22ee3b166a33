/* resolve.h - from a server's name to the addresses to connect to. */
#ifndef TG_RESOLVE_H
#define TG_RESOLVE_H

#include "address.h"
#include "argument.h"
#include "trustgraft.h"

/*
 * Reads WORDS, values of --resolve, HOST:PORT:ADDR[,ADDR...], and adds to OUT the addresses of
 * the one for ENDPOINT; the first of several counts. False after a complaint about any of them.
 */
TG_MUST_USE bool tg_resolve_given(const char *const *words, const struct tg_endpoint *endpoint,
                                  struct tg_addresses *out);

/*
 * Adds the addresses that HOST has, in the order in which getaddrinfo(3) gives them. False, with
 * a sentence in WHY, if there are none or DEADLINE (deadline.h) passes.
 */
TG_MUST_USE bool tg_resolve_name(const char *host, unsigned port, int64_t deadline,
                                 struct tg_addresses *out, struct tg_buf *why);

#endif
