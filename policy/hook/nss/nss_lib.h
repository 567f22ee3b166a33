/* nss_lib.h - each libssl3 of this process, with the libnss3 and libnspr4 that it is linked to: its
 * functions, found rather than linked. */
#ifndef TG_NSS_LIB_H
#define TG_NSS_LIB_H

#include "nss_api.h"

/* Lives as long as the process. */
struct tg_nss {
#define MEMBER(result, name, parameters) result(*name) parameters;
    TG_NSS_INTERPOSED(MEMBER)
    TG_NSS_BY_HAND(MEMBER)
    TG_NSS_CALLED(MEMBER)
    TG_NSS_CALLED_BELOW(MEMBER)
#undef MEMBER
};

/*
 * The libssl3 that ADDRESS lies in. NULL if it can't be worked with: *MISSING is then the function
 * that it lacks, or NULL if there are too many of them. Safe in threads and after fork.
 */
TG_MUST_USE const struct tg_nss *tg_nss_at(const void *address, const char **missing);

#endif
