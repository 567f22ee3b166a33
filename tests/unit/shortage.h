/* shortage.h - malloc(3) and its kin, of which the includer's fails() decides each call. */
#ifndef SHORTAGE_H
#define SHORTAGE_H

#include <stdbool.h>
#include <stdlib.h>

#define SHORTAGE_API __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool fails(void);

SHORTAGE_API void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

SHORTAGE_API void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

SHORTAGE_API void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}

#endif
