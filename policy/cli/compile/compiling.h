/* compiling.h - a policy's text into its image. */
#ifndef TG_COMPILING_H
#define TG_COMPILING_H

#include "diag.h"
#include "text.h"
#include "written.h"

/* Called for each known-hosts file of a policy. */
typedef void tg_compiling_known(void *arg, const char *path);

/*
 * Writes the image of the policy at PATH, absolute. False after errors were added to DIAGS, or
 * with a sentence in WHY: then an older image is as it was. KNOWN(ARG) is told of its known-hosts
 * files.
 */
TG_MUST_USE bool tg_compiling_policy(const char *path, struct tg_written *done,
                                     struct tg_diags *diags, struct tg_buf *why,
                                     tg_compiling_known *known, void *arg);

#endif
