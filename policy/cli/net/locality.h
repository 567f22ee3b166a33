/* locality.h - which addresses are those of the public Internet. */
#ifndef TG_LOCALITY_H
#define TG_LOCALITY_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * False for loopback, private, link-local, shared, multicast and reserved addresses (RFC 6890 and
 * its IANA registries), for IPv6 that stands for such an IPv4 address, and for other families.
 */
bool tg_locality_public(const struct sockaddr *address);

#endif
