/*
 * value.h - one function for each type of value in a policy. Each returns NULL on success or
 * a sentence that says what was found and what would be accepted, allocated in the arena
 * (or static, where memory ran out).
 */
#ifndef TG_VALUE_H
#define TG_VALUE_H

#include "mem.h"
#include <stdbool.h>
#include <time.h>

/* RFC 3339: "2026-11-21T20:40:00Z", with offset, fraction dropped; or a date alone: its 00:00Z.
 * Leap second 60 counts as 59. The result is never 0 or negative. */
TG_MUST_USE const char *tg_value_time(struct tg_arena *arena, const char *word, time_t *out);
TG_MUST_USE const char *tg_value_yes_no(struct tg_arena *arena, const char *word, bool *out);
#endif
