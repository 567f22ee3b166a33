/* address.h - addresses to connect to, and which are those of the public Internet. */
#ifndef TG_ADDRESS_H
#define TG_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#define TG_ADDRESSES 16

struct tg_addresses {
    struct {
        struct sockaddr_storage socket;
        socklen_t length;
    } at[TG_ADDRESSES];
    size_t count;
};

/*
 * False for loopback, private, link-local, shared, multicast and reserved addresses (RFC 6890 and
 * its IANA registries), for IPv6 that stands for such an IPv4 address, and for other families.
 */
bool tg_address_is_public(const struct sockaddr *address);

#endif
