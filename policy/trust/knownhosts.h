/*
 * knownhosts.h - the known-hosts files of a policy. Each is read when a connection first needs it,
 * whole and once, so that a program that connects to none of its hosts pays one stat(2).
 */
#ifndef TG_KNOWNHOSTS_H
#define TG_KNOWNHOSTS_H

#include "findings.h"
#include "known.h"
#include "query.h"

/* What a file says of the host of a query. */
struct tg_known_host {
    const struct tg_known_file *file;       /* NULL: none was asked */
    const struct tg_known_entry *own, *any; /* for the port; without port. NULL: none */
    struct tg_buf problem;                  /* why the file can't be used; empty: it can */
};

/* Looks the host of QUERY up in FILE, for *FOUND, which is zero before. False only when memory ran
 * out. */
TG_MUST_USE bool tg_known_lookup(struct tg_known_file *file, const struct tg_query *query,
                                 struct tg_known_host *found);

/* Adds a finding where the host isn't in the file, or the file can't be used, whose problem it
 * takes over. */
void tg_known_check_host(struct tg_known_host *host, const struct tg_query *query,
                         struct tg_findings *findings);

/*
 * Adds a finding where no certificate of CHAIN has a key that the file has for the host: the leaf's
 * own, or a CA's where PROVEN (tg_verification_proves). False only when memory ran out.
 */
TG_MUST_USE bool tg_known_check_path(const struct tg_known_host *host, const struct tg_query *query,
                                     const STACK_OF(X509) *chain, bool proven,
                                     struct tg_findings *findings);

/* Reads all files of POLICY, whether they have images or not. False after errors were added to
 * DIAGS. */
TG_MUST_USE bool tg_known_files_read(const tg_policy *policy, struct tg_diags *diags);

/* Reads those files of FRESH that OLD, which it is to replace, has read. Likewise. */
TG_MUST_USE bool tg_known_files_follow(const tg_policy *fresh, const tg_policy *old,
                                       struct tg_diags *diags);

#endif
