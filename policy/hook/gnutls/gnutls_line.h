/* gnutls_line.h - who is at the other end of a session of GnuTLS: what line.h asks of one. */
#ifndef TG_GNUTLS_LINE_H
#define TG_GNUTLS_LINE_H

#include "gnutls_session.h"

struct tg_gnutls_line {
    struct tg_line line; /* the first */
    struct tg_gnutls_session *state;
};

struct tg_gnutls_line tg_gnutls_line_of(struct tg_gnutls_session *state);

#endif
