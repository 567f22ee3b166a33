/* embedded.h - TLS libraries that a linker put into an executable, by the texts they leave in it.
 */
#ifndef TG_EMBEDDED_H
#define TG_EMBEDDED_H

#include "trustgraft.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * Writes what PATH seems to contain to OUT: "OpenSSL 3.0.15", "rustls". False: nothing known.
 * CRYPTO: it links libcrypto, so that the name of an OpenSSL in it tells which that is, and no
 * more.
 */
TG_MUST_USE bool tg_embedded_find(const char *path, bool crypto, char *out, size_t size);

#endif
