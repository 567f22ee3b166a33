/* ssl.h - what the wrappers of libssl's functions (ssl.c, boringssl.c) share: how they learn whose
 * function they stand for. */
#ifndef TG_SSL_H
#define TG_SSL_H

#include "engine.h"
#include "resolve.h"

/* Where the caller of the wrapper goes on: it tells which libssl was meant. */
#define CALLER __builtin_return_address(0)

/* tg_resolve_ssl, which complains where nothing is found. */
struct tg_target tg_ssl_target(enum tg_symbol symbol, const void *caller);

#endif
