/* gnutls_real.h - what the wrappers of libgnutls's functions (gnutls.c, gnutls_x509.c) share: how
 * they learn whose function they stand for, and what the hook has to say of it. */
#ifndef TG_GNUTLS_REAL_H
#define TG_GNUTLS_REAL_H

#include "engine.h"
#include "resolve.h"

/*
 * Declares REAL, the function of libgnutls that the caller of this wrapper means; NULL where there
 * is none: a program without a libgnutls gets what an absent function can best be told by. INSIDE:
 * it is that libgnutls itself that calls, which goes on as if there were no wrapper.
 */
#define TG_GNUTLS_REAL(name)                                                                       \
    const struct tg_foreign_target target =                                                        \
        tg_resolve_foreign(TG_FOREIGN_GNUTLS, TG_SYMBOL_##name, __builtin_return_address(0));      \
    __typeof__(&name) real = (__typeof__(&name))target.function

/* True, with *GNUTLS, if what was called from the program is under a policy. */
static inline bool tg_gnutls_hooked(const struct tg_foreign_target *target,
                                    struct tg_engine_gnutls *gnutls)
{
    return target->function != NULL && !target->inside &&
           tg_engine_gnutls(target->function, gnutls);
}

#endif
