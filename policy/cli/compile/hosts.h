/* hosts.h - a known-hosts file into its image, line by line. */
#ifndef TG_HOSTS_H
#define TG_HOSTS_H

#include "diag.h"
#include "text.h"
#include "written.h"

/* Writes the image of the known-hosts file at PATH, as tg_compiling_policy that of a policy. */
TG_MUST_USE bool tg_hosts_compile(const char *path, struct tg_written *done, struct tg_diags *diags,
                                  struct tg_buf *why);

#endif
