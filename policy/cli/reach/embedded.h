/* embedded.h - TLS libraries that a linker put into an executable, by the texts they leave in it.
 */
#ifndef TG_EMBEDDED_H
#define TG_EMBEDDED_H

#include "trustgraft.h"
#include <stdbool.h>
#include <stddef.h>

enum tg_embedded_signs {
    TG_EMBEDDED_ALL,    /* also what a text tells that others may have */
    TG_EMBEDDED_OTHERS, /* it links libcrypto: the name of an OpenSSL tells which that is, no more
                         */
    TG_EMBEDDED_PROVEN  /* the names of source files that nobody has but who has the code */
};

/* Writes what PATH seems to contain to OUT: "OpenSSL 3.0.15", "rustls". False: nothing known. */
TG_MUST_USE bool tg_embedded_find(const char *path, enum tg_embedded_signs signs, char *out,
                                  size_t size);

#endif
