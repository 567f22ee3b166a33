/*
 * mapping.h - a file mapped for reading that somebody may cut off meanwhile. Touching a page that
 * the file has lost would raise SIGBUS and end the host, so that nothing here is ever pointed to:
 * what is asked for is copied, and what is gone is an error. It needs no descriptor once it is
 * mapped, and nothing of the file's path: programs close, chroot and change their user.
 */
#ifndef TG_MAPPING_H
#define TG_MAPPING_H

#include "trustgraft.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct tg_mapping {
    const unsigned char *bytes; /* not to be touched */
    size_t size;
    atomic_bool probes; /* process_vm_readv(2) isn't to be called */
};

/* Maps SIZE bytes of FD, which may be closed then. False: errno says why. */
TG_MUST_USE bool tg_mapping_open(struct tg_mapping *mapping, int fd, size_t size);

/*
 * Copies LENGTH bytes at OFFSET to OUT; false where they aren't there (any more). Safe in threads
 * and after fork; preserves errno.
 */
TG_MUST_USE bool tg_mapping_copy(struct tg_mapping *mapping, size_t offset, void *out,
                                 size_t length);

void tg_mapping_close(struct tg_mapping *mapping);

#endif
