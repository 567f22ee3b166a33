/*
 * names.h - the names this process looked up, by the addresses it got for them: what a
 * connection may be called where the application gives the library no name and sends none.
 */
#ifndef TG_NAMES_H
#define TG_NAMES_H

#include "inject.h"
#include <netdb.h>

/* False for none, a literal address, and what is longer than names are. */
TG_MUST_USE bool tg_names_is_name(const char *text);

/* Remembers that NAME (NULL or a literal address: nothing) led to each address of LIST. */
void tg_names_add_addrinfo(const char *name, const struct addrinfo *list);
void tg_names_add_hostent(const char *name, const struct hostent *entry);

/*
 * Every name that led to ADDRESS, the newest first; OUT->more where some may be missing. Takes
 * no lock, and may be called by a signal handler.
 */
void tg_names_find(const struct sockaddr *address, socklen_t length, struct tg_inject_names *out);

/* Adds OTHERS to NAMES; NAMES->more where there is no room. */
void tg_names_join(struct tg_inject_names *names, const struct tg_inject_names *others);

/*
 * ADDRESS as 16 bytes: an IPv4 address is written as an IPv4-mapped one (RFC 4291 section 2.5.5.2),
 * for sockets mix the two, and the unspecified address as the loopback address that connect(2)
 * makes of it. False if ADDRESS is of another family, or shorter than its family's.
 */
TG_MUST_USE bool tg_names_address(uint8_t out[16], const struct sockaddr *address,
                                  socklen_t length);

#endif
