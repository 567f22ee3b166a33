/*
 * evaluation.h - one evaluation under way: what its checks are told, and what they have found. The
 * best path so far is kept with its findings; the checks of the connection add theirs to these.
 */
#ifndef TG_EVALUATION_H
#define TG_EVALUATION_H

#include "findings.h"
#include "knownhosts.h"
#include "policy.h"
#include "query.h"

struct tg_evaluation {
    const tg_policy *policy; /* NULL: a trust object without one */
    const struct tg_rule *rule;
    const struct tg_query *query;
    time_t now;  /* the clock, for pins and exceptions */
    time_t when; /* the time certificates must be valid at, the rule's or now */
    bool app_timed;
    time_t app_when; /* the application's, where it set one: they must be valid then too */
    bool leaf_digested;
    uint8_t leaf_digest[TG_SHA256_SIZE];
    uint64_t forgiven; /* kinds that an exception forgives this leaf */
    time_t forgiven_until;
    time_t staple_until; /* the end of the stapled answer; 0: none */
    bool pins_enforced;
    unsigned long cost;              /* spent on paths that nobody vouched for (cost.h) */
    struct tg_known_host known_host; /* what known-hosts says of the host */
    struct tg_findings findings;     /* of the best path so far, then of the whole evaluation */
    STACK_OF(X509) *path;            /* the best so far; owned */
};

/*
 * Fills in what the checks go by, of EVALUATION that has a policy, a rule, a query with a leaf and
 * zeros. False only when memory ran out. tg_evaluation_clear frees what it holds, also then.
 */
TG_MUST_USE bool tg_evaluation_begin(struct tg_evaluation *evaluation);
void tg_evaluation_clear(struct tg_evaluation *evaluation);

/* The application's context where its anchors count, and with them what else it asks for; NULL
 * where the rule's count alone, or the application has none. */
X509_STORE_CTX *tg_evaluation_app(const struct tg_evaluation *evaluation);

/* Takes over *PATH and FINDINGS, all that was found on it, if no path before was as good. */
void tg_evaluation_offer(struct tg_evaluation *evaluation, struct tg_findings *findings,
                         STACK_OF(X509) **path);

#endif
