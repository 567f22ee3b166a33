/* refresh.h - the CRLs that a policy names, renewed from where they were fetched. */
#ifndef TG_REFRESH_H
#define TG_REFRESH_H

#include "cli.h"
#include "download.h"

/* Does the work of `fetch --refresh` and returns the exit code. */
int tg_refresh(const struct tg_options *options, const struct tg_download *how);

#endif
