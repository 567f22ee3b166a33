/*
 * pending.h - names that are being looked up in the background (getaddrinfo_a(3)). A program may
 * read what was found without a call that tells, so until it asks how a look-up ended, its name may
 * have led anywhere.
 */
#ifndef TG_PENDING_H
#define TG_PENDING_H

#include "inject.h"

/* REQUEST is about to look up NAME, or is seen to have ended. */
void tg_pending_begin(const void *request, const char *name);
void tg_pending_end(const void *request, const char *name);

/* Adds them to OUT; out->more where there were too many. Takes no lock. */
void tg_pending_find(struct tg_inject_names *out);

#endif
