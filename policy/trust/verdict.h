/* verdict.h - the question put to the engine (tg_query) and its answer (tg_verdict). */
#ifndef TG_VERDICT_H
#define TG_VERDICT_H

#include "finding.h"
#include "match.h"

/* One server to evaluate. Everything is borrowed for the call. */
struct tg_query {
    const char *host;           /* reference name, DNS or IP literal; NULL: unknown */
    unsigned port;              /* 0: unknown */
    const char *program;        /* absolute path of the executable; NULL: unknown */
    const char *unknown;        /* why host or port isn't known, half a sentence; NULL: no reason */
    X509 *leaf;                 /* NULL: the server presented no certificate */
    const uint8_t *leaf_digest; /* SHA-256 of its DER, where the caller has it; NULL: not yet */
    STACK_OF(X509) *sent;       /* what came with it, in any order, leaf or not; NULL: nothing */
    /*
     * What the application itself would verify with: its anchors are found through the
     * context's lookup_certs, its flags, CRLs and time through its param and store. Never
     * verified itself. NULL: an application without anchors.
     */
    X509_STORE_CTX *app;
    time_t now;        /* 0: the clock's */
    uint64_t forgiven; /* finding bits forgiven for this leaf besides the policy's exceptions */
    int tls_version;   /* as SSL_version(3); 0: unknown */
    const unsigned char *staple; /* DER of the stapled OCSP answer; NULL: none */
    size_t staple_length;
    bool staple_pending; /* it is still to come: not to be missed now (TLS 1.2) */
    int security_level;  /* as SSL_get_security_level(3); -1: libcrypto's own default */
};

/* Immutable once returned. */
struct tg_verdict {
    int references; /* atomic */
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

/*
 * Evaluates QUERY under MATCH (of tg_policy_match on the same policy and host; its rule not
 * NULL, its action not `pass`). NULL only when memory ran out: the caller must refuse.
 */
TG_MUST_USE struct tg_verdict *tg_evaluate(const tg_policy *policy, const struct tg_match *match,
                                           const struct tg_query *query);

/*
 * A verdict of RESULT, which takes over what FINDINGS and *PATH (PATH may be NULL) hold and
 * a reference to POLICY (may be NULL). NULL, with nothing taken, when memory ran out.
 */
struct tg_findings;
TG_MUST_USE struct tg_verdict *tg_verdict_new(const tg_policy *policy, tg_result result,
                                              struct tg_findings *findings, STACK_OF(X509) **path);

/* A refusal for one reason that needs no evaluation (policy-invalid...); TEXT is copied. */
TG_MUST_USE struct tg_verdict *tg_verdict_refuse(enum tg_finding_kind kind, const char *text);

/* The path that an application's own verification took, also over errors that it forgives. */
struct tg_app_path {
    const STACK_OF(X509) *path; /* NULL: it took none */
    bool verified;              /* without an error */
};

/*
 * For a host that no rule matches: a refusal if THEIRS, or where that isn't verified, the leaf
 * and its issuers by name among QUERY->sent too, holds something distrusted; NULL if not.
 * *FAILED is set when memory ran out: the caller must refuse.
 */
TG_MUST_USE struct tg_verdict *tg_check_distrust(const tg_policy *policy,
                                                 const struct tg_query *query,
                                                 const struct tg_app_path *theirs, bool *failed);

void tg_verdict_free(struct tg_verdict *verdict);              /* drops a reference; NULL is fine */
struct tg_verdict *tg_verdict_ref(struct tg_verdict *verdict); /* returns VERDICT */

/* Who met the verdict, for its text and JSON. */
struct tg_occasion {
    time_t time;
    const char *program;
    long pid;
    const char *host; /* NULL: unknown */
    unsigned port;    /* 0: unknown */
};

/*
 * The log's text line ("curl[4711]: reject api.example.com:443 ... ") and the JSON object of
 * COMMAND.md, both without a newline, safe against control characters in certificates;
 * malloc'd, NULL: no memory.
 */
TG_MUST_USE char *tg_verdict_text(const struct tg_verdict *verdict,
                                  const struct tg_occasion *occasion);
TG_MUST_USE char *tg_verdict_json(const struct tg_verdict *verdict,
                                  const struct tg_occasion *occasion);
/*
 * The same in at most MOST bytes, 4000 or more: what doesn't fit is left out, first the path, then
 * findings and the ends of long texts, and "truncated" is true.
 */
TG_MUST_USE char *tg_verdict_json_within(const struct tg_verdict *verdict,
                                         const struct tg_occasion *occasion, size_t most);

#endif
