#include "mem.h"
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CHUNK = 4096, LARGEST_CHUNK = 1 << 20, ALIGNMENT = alignof(max_align_t) };

const char tg_no_memory[] = "memory ran out";

struct chunk {
    struct chunk *next;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

struct tg_arena {
    struct chunk *chunks; /* the newest, from which is allocated, first */
    size_t next_size;
};

struct tg_arena *tg_arena_new(void)
{
    struct tg_arena *arena = calloc(1, sizeof(*arena));

    if (arena != NULL)
        arena->next_size = FIRST_CHUNK;
    return arena;
}

void tg_arena_free(struct tg_arena *arena)
{
    struct chunk *chunk = arena != NULL ? arena->chunks : NULL;

    while (chunk != NULL) {
        struct chunk *next = chunk->next;

        free(chunk);
        chunk = next;
    }
    free(arena);
}

static struct chunk *new_chunk(size_t size)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk) + size);

    if (chunk != NULL)
        chunk->size = size;
    return chunk;
}

/* What is too large for a chunk that others share gets one of its own, behind the newest. */
static void *alloc_alone(struct tg_arena *arena, size_t size)
{
    struct chunk *chunk = new_chunk(size);

    if (chunk == NULL)
        return NULL;
    chunk->used = size;
    if (arena->chunks != NULL) {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
    } else {
        arena->chunks = chunk;
    }
    return chunk->bytes;
}

/* Chunks double, so that a small policy stays small and a large one costs few calls. */
static bool add_chunk(struct tg_arena *arena)
{
    struct chunk *chunk = new_chunk(arena->next_size);

    if (chunk == NULL)
        return false;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    if (arena->next_size < LARGEST_CHUNK)
        arena->next_size *= 2;
    return true;
}

void *tg_arena_alloc(struct tg_arena *arena, size_t size)
{
    size_t rounded;
    void *bytes;

    if (size > SIZE_MAX / 2)
        return NULL;
    rounded = ((size ? size : 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded > arena->next_size / 4)
        return alloc_alone(arena, rounded);
    if ((arena->chunks == NULL || arena->chunks->size - arena->chunks->used < rounded) &&
        !add_chunk(arena))
        return NULL;
    bytes = arena->chunks->bytes + arena->chunks->used;
    arena->chunks->used += rounded;
    return bytes;
}

char *tg_arena_strndup(struct tg_arena *arena, const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? tg_arena_alloc(arena, length + 1) : NULL;

    if (copy != NULL && length > 0)
        memcpy(copy, text, length);
    return copy;
}

const char *tg_arena_sentence(struct tg_arena *arena, const char *format, ...)
{
    char *text = NULL;
    const char *copy;
    va_list args;
    int length;

    va_start(args, format);
    length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        return tg_no_memory;
    copy = tg_arena_strndup(arena, text, (size_t)length);
    free(text);
    return copy != NULL ? copy : tg_no_memory;
}
