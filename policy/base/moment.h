/* moment.h - the times of certificates and CRLs as time_t. */
#ifndef TG_MOMENT_H
#define TG_MOMENT_H

#include "trustgraft.h"
#include <stdbool.h>
#include <time.h>

/* TIME in seconds since 1970, in *OUT; false, and *OUT untouched, if it is malformed. */
TG_MUST_USE bool tg_moment_read(const ASN1_TIME *time, time_t *out);

#endif
