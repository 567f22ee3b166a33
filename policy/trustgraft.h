/*
 * trustgraft.h - decide whether a TLS server is to be trusted, under a policy.
 *
 * The model is Apple's SecTrust and Technical Note TN2232: make a trust object from the
 * certificates that a server presented, set what is special about this host, evaluate,
 * read the result. A policy file (trustgraft.conf(5)) sets the same things per host.
 *
 * Ownership: get0 functions return a pointer that stays the object's, get1 functions one
 * that the caller frees. set functions copy or take a reference; the caller keeps its own.
 * Threads: a tg_policy is immutable once loaded and may be shared; a tg_trust belongs to
 * one thread at a time.
 * Failure: functions that return int give 1 on success and 0 on failure, unless they say
 * otherwise; a failure never makes an evaluation more lenient.
 */
#ifndef TRUSTGRAFT_H
#define TRUSTGRAFT_H

#include <openssl/x509.h>
#include <stddef.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TG_API      __attribute__((visibility("default")))
#define TG_MUST_USE __attribute__((warn_unused_result))

typedef struct tg_policy tg_policy;
typedef struct tg_trust tg_trust;

/* SecTrustResultType. The first two accept, all others refuse. */
typedef enum tg_result {
    TG_RESULT_PROCEED,             /* trusted explicitly: by trust-certificate or an exception */
    TG_RESULT_UNSPECIFIED,         /* a valid path to an anchor */
    TG_RESULT_DENY,                /* distrusted, or the policy rejects the host */
    TG_RESULT_RECOVERABLE_FAILURE, /* a policy could mend it: dates, anchor, name, pin, issuer */
    TG_RESULT_FATAL_FAILURE,       /* the certificates themselves are defective */
    TG_RESULT_OTHER_ERROR          /* revoked, or the evaluation could not be carried out */
} tg_result;

/* The name as policies, logs and JSON spell it: "recoverable-trust-failure"... Never NULL. */
TG_API const char *tg_result_name(tg_result result);

/* 1 if RESULT accepts the server, else 0. */
TG_API int tg_result_accepts(tg_result result);

/*
 * Loads the policy at PATH with all that it includes and names. Returns NULL on any error
 * and then, if ERRORS isn't NULL, sets *ERRORS to every diagnostic, each as
 * "FILE:LINE:COLUMN: error: ..." with its source line and a caret (free() it; NULL when
 * memory ran out). The result has one reference.
 */
TG_API TG_MUST_USE tg_policy *tg_policy_load(const char *path, char **errors);
TG_API void tg_policy_free(tg_policy *policy); /* drops one reference; NULL is fine */

/*
 * A trust object for the certificate LEAF and the certificates CHAIN that came with it, in
 * any order, with or without LEAF itself; CHAIN may be NULL. Returns NULL when memory ran
 * out. Until told otherwise it trusts no anchor and knows no host, so it refuses.
 */
TG_API TG_MUST_USE tg_trust *tg_trust_new(X509 *leaf, STACK_OF(X509) *chain);
TG_API void tg_trust_free(tg_trust *trust); /* NULL is fine */

/*
 * The server's name: a DNS name or an IP literal without brackets, and its port (0 if
 * unknown). The certificate must match it, unless a policy's rule says otherwise.
 */
TG_API TG_MUST_USE int tg_trust_set_host(tg_trust *trust, const char *host, unsigned port);

/*
 * Evaluate under the rule of POLICY that matches the host (set it too) and PROGRAM, the
 * absolute path of an executable (NULL: this process's). What is set on TRUST itself comes
 * on top of the rule: anchors and intermediates are added, other settings replace the rule's.
 * A host that no rule matches is evaluated against the anchors set here alone.
 */
TG_API TG_MUST_USE int tg_trust_set_policy(tg_trust *trust, tg_policy *policy, const char *program);

/* SecTrustSetAnchorCertificates: any certificate may be an anchor. Switches anchors-only on. */
TG_API TG_MUST_USE int tg_trust_set_anchors(tg_trust *trust, const STACK_OF(X509) *anchors);

/* SecTrustSetAnchorCertificatesOnly: with 0, those of tg_trust_set_store count as well. */
TG_API void tg_trust_set_anchors_only(tg_trust *trust, int only);

/* The anchors the application itself trusts. */
TG_API TG_MUST_USE int tg_trust_set_store(tg_trust *trust, X509_STORE *store);

/* TN2232 listing 5: untrusted certificates that may help to build a path. */
TG_API TG_MUST_USE int tg_trust_set_intermediates(tg_trust *trust, const STACK_OF(X509) *certs);

/* SecTrustSetVerifyDate: seconds since the epoch, instead of now. */
TG_API void tg_trust_set_verify_time(tg_trust *trust, time_t when);

/*
 * SecTrustEvaluate. Runs every check, keeps every finding, and returns the result. May be
 * called again after a change. Without memory the result is TG_RESULT_OTHER_ERROR.
 */
TG_API TG_MUST_USE tg_result tg_trust_evaluate(tg_trust *trust);

/* What the last evaluation said; TG_RESULT_OTHER_ERROR before the first. */
TG_API tg_result tg_trust_get_result(const tg_trust *trust);

/* The X509_V_ERR_* code an application would see; X509_V_OK where accepted. */
TG_API int tg_trust_get_x509_error(const tg_trust *trust);

/*
 * SecTrustGetCertificateAtIndex: the path, leaf first, anchor last; on refusal the best that
 * was found. NULL before the first evaluation.
 */
TG_API STACK_OF(X509) *tg_trust_get0_path(const tg_trust *trust);

/* One thing wrong with the server. Strings live until the next evaluation. */
typedef struct tg_trust_finding {
    const char *name; /* "certificate-expired", as in policies */
    const char *text; /* a sentence */
    int depth;        /* index in the path of the certificate meant; 0 the leaf */
    int x509_error;   /* X509_V_ERR_* */
} tg_trust_finding;

TG_API size_t tg_trust_get_finding_count(const tg_trust *trust);
/* Fills *FINDING with finding number INDEX; 0 if there is none. */
TG_API TG_MUST_USE int tg_trust_get_finding(const tg_trust *trust, size_t index,
                                            tg_trust_finding *finding);

/*
 * SecTrustCopyExceptions: the findings of the last evaluation as an opaque text that forgives
 * exactly these for exactly this leaf; free() it. NULL where there is nothing to forgive, or
 * something that can't be forgiven (a defective certificate, distrust).
 */
TG_API TG_MUST_USE char *tg_trust_copy_exceptions(const tg_trust *trust);
/* SecTrustSetExceptions. 0 if the text isn't for this leaf or isn't understood. */
TG_API TG_MUST_USE int tg_trust_set_exceptions(tg_trust *trust, const char *exceptions);

/*
 * For SSL_CTX_set_cert_verify_callback(ctx, tg_verify_callback, policy): every server met
 * through that context is evaluated under POLICY, or, where it is NULL, under the policy of
 * this process (trustgraft.conf(5), "Where the policy comes from"). Its verdicts are logged as
 * that policy says; POLICY's go to syslog where it says nothing. The context must not
 * outlive the caller's reference. Returns 1 to accept and 0 to refuse, with the
 * X509_STORE_CTX's error, chain and the application's verify callback served as
 * X509_verify_cert(3) would. A host that the policy leaves to the application goes to
 * X509_verify_cert. On the server side of a connection it is X509_verify_cert.
 * What libssl doesn't call it for (resumed sessions, staples of TLS 1.2, RFC 6066 section 8, keys
 * without a certificate) is judged from the context's first call on, by an info callback that
 * stands before the application's; where there is no memory for that, it refuses.
 */
TG_API int tg_verify_callback(X509_STORE_CTX *ctx, void *policy);

#ifdef __cplusplus
}
#endif

#endif
