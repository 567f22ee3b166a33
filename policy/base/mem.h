/* mem.h - an arena: what lives as long as a policy goes with it. */
#ifndef TG_MEM_H
#define TG_MEM_H

#include "trustgraft.h"
#include <stddef.h>

/* "memory ran out": what is said where there is no memory for another sentence. */
extern const char tg_no_memory[];

struct tg_arena;
TG_MUST_USE struct tg_arena *tg_arena_new(void); /* NULL: no memory */
void tg_arena_free(struct tg_arena *arena);      /* NULL is fine */
/* SIZE zeroed bytes aligned for any type, or NULL. Live until the arena is freed. */
TG_MUST_USE void *tg_arena_alloc(struct tg_arena *arena, size_t size);
TG_MUST_USE char *tg_arena_strndup(struct tg_arena *arena, const char *text, size_t length);
/* A formatted sentence; tg_no_memory where there is none for it: never NULL. */
TG_MUST_USE __attribute__((format(printf, 2, 3))) const char *
tg_arena_sentence(struct tg_arena *arena, const char *format, ...);

#endif
