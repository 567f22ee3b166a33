/* attempt.h - one evaluation under way, and the verification of one candidate path. */
#ifndef TG_ATTEMPT_H
#define TG_ATTEMPT_H

#include "findings.h"
#include "knownhosts.h"
#include "match.h"
#include "query.h"

/* The level of libssl that tg_query.security_level -1 stands for: OpenSSL 3.2's and Debian's. */
#define TG_DEFAULT_SECURITY_LEVEL 2

struct tg_evaluation {
    const tg_policy *policy; /* NULL: a trust object without one */
    const struct tg_rule *rule;
    const struct tg_query *query;
    time_t now;  /* the clock, for pins and exceptions */
    time_t when; /* the time certificates must be valid at */
    bool leaf_digested;
    uint8_t leaf_digest[TG_SHA256_SIZE];
    uint64_t forgiven; /* kinds that an exception forgives this leaf */
    time_t forgiven_until;
    time_t staple_until; /* the end of the stapled answer; 0: none */
    bool pins_enforced;
    unsigned long effort;                /* spent on paths that nobody vouched for (effort.h) */
    struct tg_acquaintance acquaintance; /* what known-hosts says of the host */
    struct tg_findings findings;         /* of the best path so far, then of the whole evaluation */
    STACK_OF(X509) *path;                /* the best so far; owned */
};

/*
 * A tg_path_visit: verifies PATH for the evaluation ARG with X509_verify_cert(3), on a context
 * of our own that holds exactly its certificates, and keeps it if it is the best so far.
 */
int tg_attempt(void *arg, const STACK_OF(X509) *path, bool anchored);

/* True if the CA certificates of a path with these FINDINGS count: one that reaches no anchor or
 * has a defect proves no key. */
bool tg_path_is_proven(bool anchored, const struct tg_findings *findings);

/* True if the application's own anchors count, and with them what else it asks for. */
bool tg_rule_uses_app(const struct tg_rule *rule);

#endif
