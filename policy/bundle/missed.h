/*
 * missed.h - that a certificate of a bundle was asked for in this thread and couldn't be brought
 * in: whoever asked found fewer than there are, and perhaps not the one that speaks against a
 * server.
 */
#ifndef TG_MISSED_H
#define TG_MISSED_H

#include "trustgraft.h"
#include <stdbool.h>

void tg_missed_note(void);

/* True if that was noted since the last call in this thread. */
bool tg_missed_take(void);

#endif
