/* gnutls_name.h - names of hosts as GnuTLS has them. */
#ifndef TG_GNUTLS_NAME_H
#define TG_GNUTLS_NAME_H

#include "gnutls_lib.h"
#include "host.h"

/* NAME, of SIZE bytes at most, as LIBRARY sends and compares it: one in Unicode has A-labels there.
 * To be freed; NULL: no memory. */
TG_MUST_USE char *tg_gnutls_name(const struct tg_gnutls *library, const char *name, size_t size);

/* The same as tg_peer_spell has it. False: no memory. */
TG_MUST_USE bool tg_gnutls_name_spell(const struct tg_gnutls *library, const char *name,
                                      char out[TG_HOST_SIZE]);

#endif
