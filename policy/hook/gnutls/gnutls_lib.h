/* gnutls_lib.h - each libgnutls of this process: its functions, found rather than linked. */
#ifndef TG_GNUTLS_LIB_H
#define TG_GNUTLS_LIB_H

#include "gnutls_api.h"

/* Lives as long as the process. The functions that came later may be NULL. */
struct tg_gnutls {
#define MEMBER(result, name, parameters) result(*name) parameters;
    TG_GNUTLS_INTERPOSED(MEMBER)
    TG_GNUTLS_CALLED(MEMBER)
    TG_GNUTLS_INTERPOSED_LATER(MEMBER)
    TG_GNUTLS_CALLED_LATER(MEMBER)
#undef MEMBER
};

/*
 * The libgnutls that ADDRESS lies in. NULL if it can't be worked with: *MISSING is then the
 * function that it lacks, or NULL if there are too many of them. Safe in threads and after fork.
 */
TG_MUST_USE const struct tg_gnutls *tg_gnutls_at(const void *address, const char **missing);

#endif
