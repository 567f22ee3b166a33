/*
 * index.h - for each pattern and port the rules that stand under it, in the order of their
 * rank: made while a policy is loaded, read by match.c: a fixed number of look-ups, whatever its
 * size.
 */
#ifndef TG_INDEX_H
#define TG_INDEX_H

#include "pattern.h"
#include "rule.h"
#include "supply.h"
#include "table.h"

/* A rule under one of its patterns. */
struct tg_entry {
    const struct tg_rule *rule;
    const char *pattern; /* as written */
    struct tg_entry *next;
};

/* A word that names an executable, and whose it is. */
struct tg_program_word {
    struct tg_item item;
    const struct tg_entry *entry;
    struct tg_program_word *next;
};

/*
 * The rules with a `program` under one pattern and port. No two of them can mean the same
 * executable. Words that are no globs are in the index's table too, under this number.
 */
struct tg_programs {
    const struct tg_index *index;
    uint64_t number;
    struct tg_entry *first, **end; /* in the order they were added */
    struct tg_program_word *globs, *plain;
};

/* What stands under one pattern and one port. */
struct tg_group {
    struct tg_item item;
    unsigned port;                 /* 0: none */
    struct tg_programs *programs;  /* rules with a program come first; NULL: there are none */
    struct tg_entry any;           /* the rule without one; its rule is NULL if there is none */
    struct tg_group *next;         /* the same pattern with another port... */
    struct tg_group *ports, **end; /* ...of which the group without a port holds the list */
};

struct tg_index {
    struct tg_arena *arena;
    struct tg_table groups, words, exceptions;
    uint64_t numbers;
    struct tg_supply *supply; /* NULL: all rules are here */
    bool prefixes[2][129];    /* which lengths IPv4 and IPv6 patterns have */
};

/* The host part of a pattern: what a connection's host is looked up by. */
struct tg_host_key {
    enum tg_pattern_kind kind;
    int family;      /* 0 where it's no address */
    unsigned prefix; /* 0 where it's no address */
    const char *text;
    size_t length;
};

/* What is looked up for PATTERN, which it points into. */
struct tg_host_key tg_index_key(const struct tg_pattern *pattern);

/* What a group, or a key of it, is called: by KEY and PORT, besides KEY's text. */
uint64_t tg_index_tag(const struct tg_host_key *key, unsigned port);

TG_MUST_USE struct tg_index *tg_index_new(struct tg_arena *arena); /* NULL: no memory */

/*
 * Enters RULE under PATTERN (written as TEXT); both RULE and TEXT have to live as long as the
 * arena. Another rule of equal rank for the same pattern and overlapping programs is returned
 * in *CLASH and RULE isn't entered; the same pattern twice in one rule too. *CLASH is NULL
 * otherwise. False when memory ran out: the index mustn't be used any more.
 */
TG_MUST_USE bool tg_index_add(struct tg_index *index, const struct tg_rule *rule,
                              const struct tg_pattern *pattern, const char *text,
                              const struct tg_rule **clash);

/*
 * Enters EXCEPTION, whose host is canonical (tg_host_canonical), for tg_policy_forgiven; it has
 * to stay where it is as long as the arena: enter the elements of policy->exceptions once that
 * array no longer moves. False when memory ran out.
 */
TG_MUST_USE bool tg_index_add_exception(struct tg_index *index,
                                        const struct tg_exception *exception);

/* The group of KEY with PORT, 0 for the one without; NULL if there is none. */
struct tg_group *tg_index_group(const struct tg_index *index, const struct tg_host_key *key,
                                unsigned port);

/* The one rule among PROGRAMS that covers the executable PATH, or NULL. */
const struct tg_entry *tg_index_program(const struct tg_programs *programs, const char *path);

struct tg_exceptions {
    struct tg_item item;
    const struct tg_exception *exception;
    struct tg_exceptions *next; /* of the same host, and a leaf whose digest begins alike */
};

/* The list for HOST (canonical) and a certificate with this digest, or NULL. */
const struct tg_exceptions *tg_index_exceptions(const struct tg_index *index, const char *host,
                                                const uint8_t leaf[TG_SHA256_SIZE]);

#endif
