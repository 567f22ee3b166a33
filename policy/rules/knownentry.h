/* knownentry.h - what a line of a known-hosts file says. */
#ifndef TG_KNOWNENTRY_H
#define TG_KNOWNENTRY_H

#include "hash.h"
#include "table.h"

#define TG_KNOWN_PINS_MAX 16 /* pins in a line */

/* What one line says of its host and port. */
struct tg_known_entry {
    struct tg_item item;
    const struct tg_known_entry *next; /* another line of the same host and port */
    unsigned line, count;
    uint8_t pins[][TG_SHA256_SIZE];
};

#endif
