/*
 * knownhosts.h - the known-hosts files of a policy. Each is read when a connection first needs it,
 * whole and once, so that a program that meets none of its hosts pays one stat(2).
 */
#ifndef TG_KNOWNHOSTS_H
#define TG_KNOWNHOSTS_H

#include "known.h"
#include "text.h"

/* What the rule's file says of a connection's host. */
struct tg_acquaintance {
    const struct tg_known_entry *own, *any; /* for its port; without port. NULL: none */
    struct tg_buf problem;                  /* why the file can't be used; empty: it can */
};

struct tg_evaluation;
struct tg_findings;

/* Looks the host up. 0 only when memory ran out. */
TG_MUST_USE int tg_known_meet(struct tg_evaluation *evaluation);

/* Adds a finding where the host isn't known, or the file can't be used. */
void tg_known_check_host(struct tg_evaluation *evaluation);

/*
 * Adds a finding where no certificate of CHAIN has a pinned key: the leaf's own, or a CA's where
 * the path is proven. 0 only when memory ran out.
 */
TG_MUST_USE int tg_known_check_path(const struct tg_evaluation *evaluation,
                                    const STACK_OF(X509) *chain, bool anchored,
                                    struct tg_findings *findings);

/* Reads all files of POLICY. False after errors were added to DIAGS. */
TG_MUST_USE bool tg_known_files_read(const tg_policy *policy, struct tg_diags *diags);

/* Reads those files of FRESH that OLD, which it is to replace, has read. Likewise. */
TG_MUST_USE bool tg_known_files_follow(const tg_policy *fresh, const tg_policy *old,
                                       struct tg_diags *diags);

#endif
