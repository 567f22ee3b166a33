/* forgive.h - the text of an exception: for which findings, and whether there may be one. */
#ifndef TG_FORGIVE_H
#define TG_FORGIVE_H

#include "question.h"
#include "trustgraft.h"
#include <sys/stat.h>

/* Checks --expires and --note. False after a complaint. */
TG_MUST_USE bool tg_forgive_check(const struct tg_options *options);

/* True if an exception would help: false after complaints that say why not, and what would. */
TG_MUST_USE bool tg_forgive_possible(const struct tg_question *question,
                                     const struct tg_verdict *verdict);

/*
 * Changes TEXT, what FILE of the policy holds, so that VERDICT's findings are forgiven to its leaf:
 * the exception that the file has for it is renewed, with what it was given, or there is a new one.
 * Returns its name; malloc'd, NULL: memory ran out.
 */
TG_MUST_USE char *tg_forgive_write(struct tg_buf *text, const struct tg_question *question,
                                   const struct tg_verdict *verdict, const struct stat *file);

/* True, after a complaint, if what would be renewed has expired and --expires isn't given. */
bool tg_forgive_has_expired(const struct tg_question *question, const struct tg_verdict *verdict,
                            const struct stat *file);

/* True if POLICY has the exception NAME. */
bool tg_forgive_stands(const tg_policy *policy, const char *name);

#endif
