/*
 * verdict.h - the answer of the engine on one server: accepted or not, and why. Shared by
 * reference, by any number of threads.
 */
#ifndef TG_VERDICT_H
#define TG_VERDICT_H

#include "finding.h"
#include "policy.h"

/* Immutable once returned, but for its count of references. */
struct tg_verdict {
    _Atomic unsigned references;
    tg_result result;
    bool accepted;
    bool reported;               /* mode = report: a refusal is only logged */
    int x509_error;              /* X509_V_OK where accepted */
    const struct tg_rule *rule;  /* NULL: none; where.file NULL: `unmatched`. Lives in policy */
    const char *pattern;         /* of the rule, as written; NULL where none matched */
    const tg_policy *policy;     /* a reference of its own; NULL if there was no valid one */
    struct tg_finding *findings; /* leaf first */
    size_t finding_count;
    STACK_OF(X509) *path; /* leaf first; NULL if there is no leaf */
    bool leaf_digested;
    uint8_t leaf_digest[TG_SHA256_SIZE]; /* of the path's leaf, if leaf_digested */
    char *note; /* said beside the findings ("pins expired 2026-01-01"); or NULL */
    time_t valid_from, valid_until; /* an accepted verdict holds within; 0: open */
};

struct tg_findings;

/*
 * A verdict of RESULT, which takes over what FINDINGS and *PATH (PATH may be NULL) hold and
 * a reference to POLICY (may be NULL). NULL, with nothing taken, when memory ran out.
 */
TG_MUST_USE struct tg_verdict *tg_verdict_new(const tg_policy *policy, tg_result result,
                                              struct tg_findings *findings, STACK_OF(X509) **path);

/* A refusal for one reason that needs no evaluation (policy-invalid...); TEXT is copied. */
TG_MUST_USE struct tg_verdict *tg_verdict_refuse(enum tg_finding_kind kind, const char *text);

void tg_verdict_free(struct tg_verdict *verdict);              /* drops a reference; NULL is fine */
struct tg_verdict *tg_verdict_ref(struct tg_verdict *verdict); /* returns VERDICT */

#endif
