/* pattern.h - one pattern of a [host] section: which hosts, and on which port. */
#ifndef TG_PATTERN_H
#define TG_PATTERN_H

#include "host.h"
#include "mem.h"

enum tg_pattern_kind { TG_PATTERN_NAME, TG_PATTERN_WILDCARD, TG_PATTERN_ADDRESS, TG_PATTERN_ANY };

struct tg_pattern {
    enum tg_pattern_kind kind;
    char name[TG_HOST_SIZE]; /* NAME: canonical; WILDCARD: what follows "*." */
    int family;              /* ADDRESS: AF_INET or AF_INET6 */
    uint8_t address[16];     /* network order, bits behind the prefix zero */
    unsigned prefix;         /* 32 or 128 for a single address */
    unsigned port;           /* 0: any */
};

/*
 * Reads one pattern: `name`, `*.name`, `*`, address, CIDR block, each with an optional :PORT
 * (`[2001:db8::1]:443`, `[2001:db8::/32]:443`). Returns NULL and fills *OUT, or a static or
 * ARENA-owned sentence that says what is wrong and what would be accepted, with *COLUMN the
 * byte offset of it.
 */
TG_MUST_USE const char *tg_pattern_parse(struct tg_arena *arena, const char *word,
                                         struct tg_pattern *out, size_t *column);

/*
 * Reads WORD, spelled as a pattern, as the one host that it is: OUT has its canonical spelling,
 * *PORT its port, 0 where there is none. NULL, or a sentence as of tg_pattern_parse.
 */
TG_MUST_USE const char *tg_host_read(struct tg_arena *arena, const char *word,
                                     char out[TG_HOST_SIZE], unsigned *port, size_t *column);

#endif
