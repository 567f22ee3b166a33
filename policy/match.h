/* match.h - patterns of [host] and the index that finds the one rule for a connection. */
#ifndef TG_MATCH_H
#define TG_MATCH_H

#include "mem.h"
#include "policy.h"

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
 * (`[2001:db8::1]:443`). Returns NULL and fills *OUT, or a static or ARENA-owned sentence
 * that says what is wrong and what would be accepted, with *COLUMN the byte offset of it.
 */
const char *tg_pattern_parse(struct tg_arena *arena, const char *word, struct tg_pattern *out,
                             size_t *column);

struct tg_index *tg_index_new(struct tg_arena *arena); /* NULL: no memory */

/*
 * Enters RULE under PATTERN (written as TEXT). Another rule of equal rank for the same pattern
 * and overlapping programs is returned in *CLASH and RULE isn't entered; the same pattern
 * twice in one rule too. 0 when memory ran out.
 */
TG_MUST_USE int tg_index_add(struct tg_index *index, const struct tg_rule *rule,
                             const struct tg_pattern *pattern, const char *text,
                             const struct tg_rule **clash);

/* True if PROGRAM (an absolute path) is one of RULE's programs, or the rule names none. */
bool tg_rule_covers_program(const struct tg_rule *rule, const char *program);

#endif
