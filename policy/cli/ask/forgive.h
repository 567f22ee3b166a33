/* forgive.h - the text of an exception: for which findings, and whether there may be one. */
#ifndef TG_FORGIVE_H
#define TG_FORGIVE_H

#include "question.h"
#include "trustgraft.h"

/* Checks --expires and --note. False after a complaint. */
TG_MUST_USE bool tg_forgive_check(const struct tg_options *options);

/* True if an exception would help: false after complaints that say why not, and what would. */
TG_MUST_USE bool tg_forgive_possible(const struct tg_question *question,
                                     const struct tg_verdict *verdict);

/*
 * Appends to TEXT, that of a policy's file, the [exception] for VERDICT's findings and leaf.
 * Returns its name, which no other of the policy has; malloc'd, NULL: memory ran out.
 */
TG_MUST_USE char *tg_forgive_add(struct tg_buf *text, const struct tg_question *question,
                                 const struct tg_verdict *verdict);

/* True if POLICY has the exception NAME. */
bool tg_forgive_stands(const tg_policy *policy, const char *name);

#endif
