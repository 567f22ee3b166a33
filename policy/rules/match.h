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
 * (`[2001:db8::1]:443`, `[2001:db8::/32]:443`). Returns NULL and fills *OUT, or a static or
 * ARENA-owned sentence that says what is wrong and what would be accepted, with *COLUMN the
 * byte offset of it.
 */
const char *tg_pattern_parse(struct tg_arena *arena, const char *word, struct tg_pattern *out,
                             size_t *column);

struct tg_index *tg_index_new(struct tg_arena *arena); /* NULL: no memory */

/*
 * Enters RULE under PATTERN (written as TEXT); both RULE and TEXT have to live as long as the
 * arena. Another rule of equal rank for the same pattern and overlapping programs is returned
 * in *CLASH and RULE isn't entered; the same pattern twice in one rule too. *CLASH is NULL
 * otherwise. 0 when memory ran out: the index mustn't be used any more.
 */
TG_MUST_USE int tg_index_add(struct tg_index *index, const struct tg_rule *rule,
                             const struct tg_pattern *pattern, const char *text,
                             const struct tg_rule **clash);

/*
 * Enters EXCEPTION, whose host is canonical (tg_host_canonical), for tg_policy_forgiven; it has
 * to stay where it is as long as the arena: enter the elements of policy->exceptions once that
 * array no longer moves. 0 when memory ran out.
 */
TG_MUST_USE int tg_index_add_exception(struct tg_index *index,
                                       const struct tg_exception *exception);

/*
 * True if PROGRAM (an absolute path) is one of RULE's programs, or the rule names none. NULL,
 * an unknown program, is none of them.
 */
bool tg_rule_covers_program(const struct tg_rule *rule, const char *program);

/* True if WORD of a `program` key holds *, ? or [, so that it isn't the path of a file itself. */
bool tg_program_is_glob(const char *word);

/*
 * The absolute path of this process's executable, also where that was replaced since; without
 * /proc the one that was executed. Empty if it can't be told.
 */
#define TG_PROGRAM_SIZE 4096
void tg_program_self(char path[TG_PROGRAM_SIZE]);

/*
 * Why WORD can't be a value of `program`, or NULL: it is empty, a relative path, longer than a
 * path can be, or has a [ without its ]. Static or ARENA-owned.
 */
const char *tg_program_fault(struct tg_arena *arena, const char *word);

/* The last part of PATH, behind its last slash. */
const char *tg_program_name(const char *path);

/* True if WORD of a `program` key means the executable PATH. */
bool tg_program_covers(const char *word, const char *path);

/* True if some executable could be meant by both words; a doubt is an overlap. */
bool tg_program_overlap(const char *one, const char *other);

/*
 * Reads WORD, spelled as a pattern, as the one host that it is: OUT has its canonical spelling,
 * *PORT its port, 0 where there is none. NULL, or a sentence as of tg_pattern_parse.
 */
const char *tg_host_read(struct tg_arena *arena, const char *word, char out[TG_HOST_SIZE],
                         unsigned *port, size_t *column);

/*
 * The address that TEXT, LENGTH bytes without brackets, zone or prefix, stands for; *FAMILY is
 * AF_INET (4 bytes) or AF_INET6 (16). IPv4-mapped IPv6 comes out as IPv4 (RFC 4291 section
 * 2.5.5.2). False if TEXT is no address.
 */
bool tg_host_address(const char *text, size_t length, int *family, uint8_t address[16]);

/*
 * Why NAME, LENGTH bytes with or without a trailing dot, can't be a DNS name, as the rest of a
 * sentence ("has an empty label") with *OFFSET the byte meant; NULL if it can.
 */
const char *tg_host_name_fault(const char *name, size_t length, size_t *offset);

/*
 * NAME (LENGTH bytes of UTF-8) with each label that isn't ASCII written as its A-label
 * ("xn--...", RFC 3492). For advice to a person: capitals are mapped for the Latin, Greek and
 * Cyrillic letters only, and nothing is normalised. ARENA's; NULL where there is no such name.
 */
char *tg_host_alabels(struct tg_arena *arena, const char *name, size_t length);

#endif
