/* override.h - a file of a policy that is read as if it held another text. */
#ifndef TG_OVERRIDE_H
#define TG_OVERRIDE_H

#include <stddef.h>
#include <sys/types.h>

struct tg_override {
    dev_t device; /* by these two the file is known, whatever path leads to it */
    ino_t inode;
    const char *text; /* any bytes */
    size_t length;
};

#endif
