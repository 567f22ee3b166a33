/*
 * route.h - how a server is reached, and the whole way there: its name looked up, TCP, STARTTLS,
 * the handshake. What it presents is taken down, and nothing but that is said to it.
 */
#ifndef TG_ROUTE_H
#define TG_ROUTE_H

#include "argument.h"
#include "cli.h"
#include "presented.h"
#include "starttls.h"
#include "trustgraft.h"

/* How servers are to be reached. Zero-initialise. */
struct tg_route {
    const struct tg_starttls *starttls; /* NULL: TLS at once */
    struct tg_addresses addresses;      /* count 0: those that the name has */
    int seconds;                        /* for everything together */
};

/* Reads --starttls and --timeout. False after a complaint. */
TG_MUST_USE bool tg_route_read(struct tg_route *route, const struct tg_options *options);

/* Sets AT's port where none was given, and takes its addresses from --resolve. False after a
 * complaint. */
TG_MUST_USE bool tg_route_to(struct tg_route *route, const struct tg_options *options,
                             struct tg_endpoint *at);

/*
 * Connects to AT by ROUTE and fills PRESENTED, whose chain has at least one certificate then. False
 * with a sentence in WHY, in which the server's words stand as they are. NOTE says what is worth
 * knowing all the same. Any thread may.
 */
TG_MUST_USE bool tg_route_connect(const struct tg_route *route, const struct tg_endpoint *at,
                                  struct tg_presented *presented, struct tg_buf *why,
                                  struct tg_buf *note);

/* The same for one server: says what there is to note. False after a complaint about AT. */
TG_MUST_USE bool tg_route_call(const struct tg_route *route, const struct tg_endpoint *at,
                               struct tg_presented *presented);

/* The name of an option that OPTIONS has and only a connection makes use of; NULL: none. */
const char *tg_route_option(const struct tg_options *options);

#endif
