/*
 * loading.h - what the parts that make a policy of text share while they do. Text goes one way:
 *
 *   include.c  files, in order       lex.c    lines into words
 *   parse.c    words into sections   store.c  values into fields
 *   build.c    sections into rules, exceptions and lists
 *   profile.c  a profile's keys into the rules that name it
 *
 * All of it goes with `scratch` but what was put into the policy.
 */
#ifndef TG_LOADING_H
#define TG_LOADING_H

#include "diag.h"
#include "file.h"
#include "keys.h"
#include "match.h"
#include "table.h"
#include "text.h"

/* A file of the policy. */
struct tg_source {
    struct tg_item item; /* its device and inode */
    struct tg_source *next;
    const char *path;      /* as diagnostics show it */
    const char *directory; /* what its file values are relative to: "" or ends in a slash */
    struct tg_file file;
    unsigned before;                /* lines of it that stand before what `file` holds */
    const struct tg_source *parent; /* that included it, there: NULL for the main file */
    const struct tg_word *included;
    unsigned depth;
    struct tg_source_path {
        struct tg_item item;
        unsigned rank; /* in the order read */
    } by_path;
};

/* A word of a policy and where it stands. */
struct tg_word {
    struct tg_word *next;
    const char *text;
    const char *line; /* the whole line */
    struct tg_where where;
};

struct tg_setting {
    struct tg_setting *next;
    const struct tg_key *key;
    const struct tg_word *name;
    struct tg_word *values, **last; /* at least one once it is parsed without an error */
};

struct tg_section {
    struct tg_section *next;
    enum tg_section_kind kind;
    const struct tg_source *source;
    const struct tg_word *head; /* "host" */
    struct tg_word *names;      /* "*.example" "example" */
    struct tg_setting *settings, **last;
    bool broken; /* something in it was complained of */
};

/* Certificates read while loading; what no rule keeps is freed again. */
struct tg_loaded {
    struct tg_loaded *next;
    struct tg_holding *holding;
    bool kept;
};

/* What `table` holds by the tags of its items. */
enum tg_load_tag {
    TG_TAG_SOURCE,
    TG_TAG_PATH,
    TG_TAG_CERTIFICATES,
    TG_TAG_SPKI,
    TG_TAG_KEY,
    TG_TAG_CRLS,
    TG_TAG_PROFILE,
    TG_TAG_EXCEPTION,
    TG_TAG_PROGRAM
};

/* What an absolute word of `program` led to when it was asked. */
struct tg_program_path {
    struct tg_item item; /* the word */
    struct tg_program_path *next;
    const char *path; /* NULL: nowhere */
};

struct tg_load {
    tg_policy *policy;
    struct tg_arena *scratch;
    struct tg_diags *diags;
    const struct tg_override *override; /* NULL: none */
    /*
     * Of a section that is built by itself: the load that has all but [host] and [exception]
     * sections, and what files held. NULL otherwise.
     */
    struct tg_load *base;
    struct tg_compiled *compiled; /* of such a load: what its files held is in there; or NULL... */
    const struct tg_material *(*stored)(struct tg_compiled *compiled, enum tg_load_tag tag,
                                        const char *path); /* ...and gets it, NULL: it can't */
    bool partial;                                          /* such a load */
    struct tg_material *materials;
    struct tg_program_path *programs;
    struct tg_table table;
    struct tg_source *sources, **last_source;
    struct tg_section *sections, **last_section;
    struct tg_profile *profiles, **last_profile;
    struct tg_loaded *loaded;
    unsigned files;                                         /* read so far */
    size_t words;                                           /* read so far */
    struct tg_buf distrusted_certificates, distrusted_keys; /* digests, one after the other */
};

/* From the scratch arena; NULL when memory ran out, which is noted as an error. */
TG_MUST_USE void *tg_load_alloc(struct tg_load *load, size_t size);
/* From the policy's arena; NULL when memory ran out, which is noted as an error. */
TG_MUST_USE void *tg_load_keep(struct tg_load *load, size_t size);
TG_MUST_USE const char *tg_load_keep_text(struct tg_load *load, const char *text);
/* PATH as it is from the root on, symbolic links kept; the policy's. NULL without memory. */
TG_MUST_USE const char *tg_load_keep_path(struct tg_load *load, const char *path);
/* Where what is read is noted: a change makes the policy be read anew. */
struct tg_watching tg_load_watching(struct tg_load *load);
/* The load that keeps what files held: LOAD, or its base. */
struct tg_load *tg_load_home(struct tg_load *load);
/* True while an image is written: each section is looked at by itself, and files are read once. */
bool tg_load_compiles(const struct tg_load *load);
/* Notes that memory ran out. */
void tg_load_lost(struct tg_load *load);

/*
 * Says what is wrong at WORD: "FORMAT, in [host a.example] (HINT)". SECTION (may be NULL) is
 * broken from now on; HINT may be NULL.
 */
__attribute__((format(printf, 5, 6))) void tg_load_error(struct tg_load *load,
                                                         struct tg_section *section,
                                                         const struct tg_word *word,
                                                         const char *hint, const char *format, ...);
/* Warns at WORD: "FORMAT, in [host a.example]"; SECTION stays whole. */
__attribute__((format(printf, 4, 5))) void tg_load_warn(struct tg_load *load,
                                                        const struct tg_section *section,
                                                        const struct tg_word *word,
                                                        const char *format, ...);

#endif
