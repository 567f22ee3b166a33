/*
 * begun.h - to whom this process has sent the beginning of a ClientHello that is too short to tell
 * which: it may have gone there as well, in pieces, wherever else it was seen to go whole.
 */
#ifndef TG_BEGUN_H
#define TG_BEGUN_H

#include "inject.h"

/* LENGTH bytes, the first that were sent at once, which don't hold the whole random. */
TG_MUST_USE bool tg_begun_is(const uint8_t *data, size_t length);

/* They went through DESCRIPTOR to PEER. Async-signal-safe. */
void tg_begun_note(int descriptor, const struct sockaddr_storage *peer, const uint8_t *data,
                   size_t length);

/* Adds those that may be of RANDOM to COUNT of ENDS; returns how many there are, at most ROOM + 1.
 */
unsigned tg_begun_add(const uint8_t random[TG_INJECT_RANDOM_SIZE], struct tg_inject_end *ends,
                      unsigned room, unsigned count);

#endif
