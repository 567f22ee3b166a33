/*
 * pending.h - names that are being looked up in the background (getaddrinfo_a(3)). A program may
 * read what was found without a call that tells, so until it asks how a look-up ended, its name may
 * have led anywhere.
 */
#ifndef TG_PENDING_H
#define TG_PENDING_H

#include "inject.h"

/* REQUEST is about to look up NAME (see tg_names_is_name), or is seen to have ended. */
void tg_pending_begin(const void *request, const char *name);
void tg_pending_end(const void *request, const char *name);

/* Calls ADD with OUT and each of them. False if there may be others. Takes no lock. */
bool tg_pending_find(void (*add)(struct tg_inject_names *out, const char *name),
                     struct tg_inject_names *out);

#endif
