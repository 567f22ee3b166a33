/* match.h - the one rule of a policy that applies to a connection, and why not the others. */
#ifndef TG_MATCH_H
#define TG_MATCH_H

#include "policy.h"

/*
 * Which rule applies to HOST (DNS name or IP literal, any case, trailing dot allowed; of what
 * no pattern can spell the wildcard that it ends in counts; NULL or "" if unknown), PORT (0 if
 * unknown) and PROGRAM (absolute path; NULL if unknown): as trustgraft.conf(5) says.
 * Costs a fixed number of hash lookups, however many rules there are.
 */
enum tg_match_kind {
    TG_MATCH_RULE,      /* rule applies (its action may be pass or reject) */
    TG_MATCH_UNMATCHED, /* no rule: rule is &unmatched_rule, or NULL for `unmatched = app` */
    TG_MATCH_UNKNOWN    /* it depends on a host, port or program that isn't known: refuse; rule is
                           one of those that may apply (unmatched_rule too), the first in
                           rank whose mode is `enforce` if there is any */
};
struct tg_match {
    enum tg_match_kind kind;
    const struct tg_rule *rule;
    const char *pattern; /* as written in the rule; NULL if unmatched */
    const char *lacking; /* TG_MATCH_UNKNOWN: what it depends on, "host", "port" or "program" */
};
TG_API struct tg_match tg_policy_match(const tg_policy *policy, const char *host, unsigned port,
                                       const char *program);

/*
 * One rule that a lookup met: for `explain`. WHY is "applies", or why it lost: "its port is
 * 8443", "its program is ...", "less specific than line 12". Called in order of rank for
 * every rule one of whose patterns fits HOST.
 */
typedef void tg_match_seen(void *arg, const struct tg_rule *rule, const char *pattern,
                           const char *why);
void tg_policy_explain(const tg_policy *policy, const char *host, unsigned port,
                       const char *program, tg_match_seen *seen, void *arg);

/* POLICY, or a part of it, which lives as long: among whose exceptions are all for HOST
 * (canonical). NULL: there are none. */
const tg_policy *tg_policy_exceptions(const tg_policy *policy, const char *host);

/* The exceptions for HOST:PORT and the leaf with this digest, not expired at NOW: the union of
 * what they forgive (finding bits), 0 if none. *UNTIL: the earliest end among them, 0: never. */
uint64_t tg_policy_forgiven(const tg_policy *policy, const char *host, unsigned port,
                            const uint8_t leaf[TG_SHA256_SIZE], time_t now, time_t *until);

#endif
