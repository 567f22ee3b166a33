/* verbs.h - the table of verbs: one file each, which defines its function. */
#ifndef TG_VERBS_H
#define TG_VERBS_H

#include "cli.h"
#include <stddef.h>

/* All of them, in the order in which the help lists them. */
#define TG_VERBS(VERB)                                                                             \
    VERB(init)                                                                                     \
    VERB(run)                                                                                      \
    VERB(check)                                                                                    \
    VERB(compile)                                                                                  \
    VERB(explain)                                                                                  \
    VERB(verify)                                                                                   \
    VERB(doctor)                                                                                   \
    VERB(log)                                                                                      \
    VERB(pin)                                                                                      \
    VERB(except)                                                                                   \
    VERB(ca)                                                                                       \
    VERB(fetch)                                                                                    \
    VERB(scan)                                                                                     \
    VERB(enable)                                                                                   \
    VERB(disable)                                                                                  \
    VERB(import)                                                                                   \
    VERB(completion)                                                                               \
    VERB(help)

#define TG_VERB_DECLARE(name) extern const struct tg_verb tg_verb_##name;
TG_VERBS(TG_VERB_DECLARE)
#undef TG_VERB_DECLARE

/* The verb at INDEX of the table; NULL behind the last. */
const struct tg_verb *tg_verb_at(size_t index);

/* The verb called NAME, or NULL. */
const struct tg_verb *tg_verb_find(const char *name);

#endif
