/* written.h - what an image that was written holds. */
#ifndef TG_WRITTEN_H
#define TG_WRITTEN_H

#include <stdint.h>

struct tg_written {
    uint64_t rules, exceptions, hosts; /* hosts: lines of a known-hosts file */
    uint64_t size;                     /* of the image, in bytes */
};

#endif
