/*
 * hidden.h - the functions of the libcrypto inside this library, which nobody finds by their names.
 * Defined in libtrustgraft-inside.so.0 alone.
 */
#ifndef TG_HIDDEN_H
#define TG_HIDDEN_H

#include "libcrypto.h"

/* Fills LIBCRYPTO with them. Its address is NULL where this library has no libcrypto inside. */
__attribute__((weak, visibility("hidden"))) void tg_hidden_fill(struct tg_libcrypto *libcrypto);

#endif
