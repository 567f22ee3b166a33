/* meet.h - a server is called, and what it presents is taken down. */
#ifndef TG_MEET_H
#define TG_MEET_H

#include "cli.h"
#include "dial.h"
#include "question.h"
#include "starttls.h"

/* How servers are to be reached. Zero-initialise. */
struct tg_route {
    const struct tg_starttls *starttls; /* NULL: TLS at once */
    struct tg_addresses addresses;      /* count 0: those that the name has */
    int seconds;                        /* for everything together */
};

/* Reads --starttls and --timeout. False after a complaint. */
bool tg_route_ask(struct tg_route *route, const struct tg_options *options);

/* Sets AT's port where none was given, and takes its addresses from --resolve. False after a
 * complaint. */
bool tg_route_to(struct tg_route *route, const struct tg_options *options, struct tg_endpoint *at);

/*
 * Calls AT by ROUTE and fills PRESENTED, whose chain has at least one certificate then; PEER is
 * where the connection led. False with a sentence in WHY, in which the server's words stand as
 * they are. NOTE says what is worth knowing all the same. Any thread may.
 */
bool tg_meet(const struct tg_route *route, const struct tg_endpoint *at,
             struct tg_presented *presented, char peer[TG_PEER_SIZE], struct tg_buf *why,
             struct tg_buf *note);

/* Complains of AT with the sentence in WHY. */
void tg_meet_complain(const struct tg_endpoint *at, const struct tg_buf *why);

/* The name of an option that OPTIONS has and only a connection makes use of; NULL: none. */
const char *tg_route_option(const struct tg_options *options);

#endif
