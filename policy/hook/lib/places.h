/*
 * places.h - each libssl of this process that is under the policy, once found at its place for
 * good. One that can't be hooked is complained of, and never half hooked.
 */
#ifndef TG_PLACES_H
#define TG_PLACES_H

#include "cryptolib.h"
#include "libssl.h"

/* One libssl under the policy. Lives as long as the process. */
struct tg_hooked {
    struct tg_libssl libssl;
    struct tg_cryptolib *library; /* the libcrypto that it works on */
};

/* The libssl that ADDRESS lies in; NULL, after a complaint, if it can't be hooked. */
const struct tg_hooked *tg_hooked_at(const void *address);

/* The one whose SSL_CTX_new this is, if it was hooked before; else NULL. */
const struct tg_hooked *tg_hooked_known(const void *ssl_ctx_new);

/* The libssl on LIBRARY that CONTEXT belongs to; NULL if it can't be hooked. */
const struct tg_hooked *tg_hooked_of_context(const struct tg_cryptolib *library,
                                             const SSL_CTX *context);

/* Looks for a libssl on LIBRARY while there is memory to; the linker never finds one that it once
 * had no memory for, and a context made then would go unhooked. There may be none as yet. False,
 * after a complaint, if there is one that can't be hooked. */
TG_MUST_USE bool tg_hooked_prepare(const struct tg_cryptolib *library);

/* The libssl on LIBRARY behind LAST, or the first (NULL); NULL: there is no more. */
const struct tg_hooked *tg_hooked_next(const struct tg_cryptolib *library,
                                       const struct tg_hooked *last);

/* Any libssl on LIBRARY; NULL, after a complaint, if there is none. */
const struct tg_hooked *tg_hooked_on(const struct tg_cryptolib *library);

/* Any libssl on the libcrypto that we are bound to; NULL, after a complaint, if there is none. */
const struct tg_hooked *tg_hooked_any(void);

#endif
