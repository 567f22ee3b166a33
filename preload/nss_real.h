/* nss_real.h - what the wrappers of NSS's functions (nss.c, nss_cert.c) share, as gnutls_real.h has
 * it for GnuTLS's. */
#ifndef TG_NSS_REAL_H
#define TG_NSS_REAL_H

#include "engine.h"
#include "resolve.h"

/* Declares REAL, the function of LIBRARY that the caller of this wrapper means; NULL where there is
 * none. */
#define TG_NSS_REAL(library, name)                                                                 \
    const struct tg_foreign_target target =                                                        \
        tg_resolve_foreign(library, TG_SYMBOL_##name, __builtin_return_address(0));                \
    __typeof__(&name) real = (__typeof__(&name))target.function

#endif
