/* compiling.h - a policy's text, and the known-hosts files that it names, into their images. */
#ifndef TG_COMPILING_H
#define TG_COMPILING_H

#include "diag.h"
#include "text.h"
#include <stdint.h>

/* What was written. */
struct tg_compiling {
    uint64_t rules, exceptions, hosts; /* hosts: lines of a known-hosts file */
    uint64_t size;                     /* of the image, in bytes */
};

/* What a file's name is followed by in a list; called for each known-hosts file of a policy. */
typedef void tg_compiling_known(void *arg, const char *path);

/*
 * Writes the image of the policy at PATH, absolute. False after errors were added to DIAGS, or
 * with a sentence in WHY: then an older image is as it was. KNOWN(ARG) is told of its known-hosts
 * files.
 */
TG_MUST_USE bool tg_compiling_policy(const char *path, struct tg_compiling *done,
                                     struct tg_diags *diags, struct tg_buf *why,
                                     tg_compiling_known *known, void *arg);

/* That of the known-hosts file at PATH. */
TG_MUST_USE bool tg_compiling_hosts(const char *path, struct tg_compiling *done,
                                    struct tg_diags *diags, struct tg_buf *why);

#endif
