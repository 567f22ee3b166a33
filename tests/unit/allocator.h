/* allocator.h - OWN_ALLOCATOR: whether a test can put a malloc(3) of its own before libc's, which
 * AddressSanitizer has done already. */
#ifndef ALLOCATOR_H
#define ALLOCATOR_H

#include <stdbool.h>
#include <stdlib.h>

/* Where the processor is, failing each of very many allocations in turn would take minutes. */
static inline bool is_emulated(void)
{
    return getenv("TG_EMULATED") != NULL;
}

#if defined(__SANITIZE_ADDRESS__)
#define OWN_ALLOCATOR 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_ALLOCATOR 0
#endif
#endif
#ifndef OWN_ALLOCATOR
#define OWN_ALLOCATOR 1
#endif

#endif
