/* targets.h - the list of hosts that `scan` is given. */
#ifndef TG_TARGETS_H
#define TG_TARGETS_H

#include "route.h"
#include "trustgraft.h"

struct tg_target {
    struct tg_endpoint at;
    const struct tg_starttls *starttls; /* NULL: TLS at once */
};

/* Free `item`. */
struct tg_targets {
    struct tg_target *item;
    size_t count;
};

/*
 * Reads PATH ("-": standard input), up to 16 MiB: a line HOST[:PORT] [PROTOCOL] each, PROTOCOL as
 * of --starttls; what follows a # and empty lines count for nothing. ROUTE's protocol is that of
 * lines without one. False after a complaint about each line that is wrong, or about PATH.
 */
TG_MUST_USE bool tg_targets_read(const char *path, const struct tg_route *route,
                                 struct tg_targets *out);

#endif
