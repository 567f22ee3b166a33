/*
 * keys.h - the words of the policy language in one table: each section and key, what values
 * it takes and where they are kept.
 */
#ifndef TG_KEYS_H
#define TG_KEYS_H

#include "mem.h"
#include "policy.h"

enum tg_section_kind {
    TG_SECTION_POLICY,
    TG_SECTION_HOST,
    TG_SECTION_PROFILE,
    TG_SECTION_DISTRUST,
    TG_SECTION_EXCEPTION,
    TG_SECTION_KINDS
};

struct tg_section_info {
    const char *name;
    unsigned least_names, most_names; /* words after the name in [name word ...] */
    const char *form;                 /* "[host PATTERN ...]", for messages */
};

const struct tg_section_info *tg_section_info(enum tg_section_kind kind);
/* The kind called NAME, or TG_SECTION_KINDS. */
enum tg_section_kind tg_section_by_name(const char *name);

enum tg_type {
    TG_TYPE_CHOICE,       /* one of `choices`, kept as its index in an enum */
    TG_TYPE_FLAG,         /* one of two `choices`, kept as a bool */
    TG_TYPE_YES_NO,       /* bool */
    TG_TYPE_NUMBER,       /* checked against `least` and `most` */
    TG_TYPE_TIME,         /* time_t */
    TG_TYPE_TEXT,         /* const char *, the rest of the line */
    TG_TYPE_PROFILE,      /* const char * */
    TG_TYPE_PROGRAMS,     /* tg_rule.programs and realpaths */
    TG_TYPE_HOSTNAMES,    /* tg_words */
    TG_TYPE_ANCHORS,      /* tg_rule.anchors and anchors_system */
    TG_TYPE_CERTIFICATES, /* STACK_OF(X509) * */
    TG_TYPE_LEAVES,       /* tg_digests of certificates */
    TG_TYPE_PINS,         /* tg_digests of keys */
    TG_TYPE_CRLS,         /* files and directories */
    TG_TYPE_KNOWN,        /* struct tg_known_file * */
    TG_TYPE_LOG,          /* tg_policy.log_sinks and log_file */
    TG_TYPE_INCLUDE,      /* followed while reading, not kept */
    TG_TYPE_HOST,         /* tg_exception.host and port */
    TG_TYPE_FINGERPRINT,  /* uint8_t[TG_SHA256_SIZE] */
    TG_TYPE_FINDINGS,     /* uint64_t of finding bits */
    TG_TYPES
};

struct tg_key {
    const char *name;
    enum tg_key_id id;
    unsigned sections; /* bits (1 << enum tg_section_kind) */
    enum tg_type type;
    bool list;
    size_t offset;              /* of what it sets in tg_policy, tg_rule or tg_exception, */
    size_t size;                /* and how many bytes of it; 0: nothing of its own */
    const char *const *choices; /* NULL-terminated */
    unsigned least, most;
};

/* The table's row; ID must be valid. */
const struct tg_key *tg_key_info(enum tg_key_id id);
/* The key called NAME in a section of KIND, or NULL. */
const struct tg_key *tg_key_find(enum tg_section_kind kind, const char *name);

/*
 * What was perhaps meant by WORD, for a hint: "did you mean anchors?" in ARENA, or NULL.
 * An unknown section, and an unknown key in a section of KIND, which may belong elsewhere.
 */
const char *tg_section_hint(struct tg_arena *arena, const char *word);
const char *tg_key_hint(struct tg_arena *arena, enum tg_section_kind kind, const char *word);

#endif
