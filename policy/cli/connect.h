/* connect.h - the part of `explain` that connects. */
#ifndef TG_CONNECT_H
#define TG_CONNECT_H

#include "cli.h"

/* Does the work of `explain --connect` and returns the exit code. */
int tg_connect_explain(const struct tg_options *options);

#endif
