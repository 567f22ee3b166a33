/* nss_line.h - who is at the other end of a socket of NSS: what line.h asks of one. */
#ifndef TG_NSS_LINE_H
#define TG_NSS_LINE_H

#include "nss_socket.h"

struct tg_nss_line {
    struct tg_line line; /* the first */
    struct tg_nss_socket *state;
};

struct tg_nss_line tg_nss_line_of(struct tg_nss_socket *state);

#endif
