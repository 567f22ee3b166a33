#include "attempt.h"
#include "crl.h"
#include "distrust.h"
#include "effort.h"
#include "floor.h"
#include "hash.h"
#include "reference.h"
#include "text.h"
#include <openssl/x509v3.h>
#include <pthread.h>

/* USE_CHECK_TIME would go before NO_CHECK_TIME; the time that counts is set anew. */
#define WEAKENING                                                                                  \
    (X509_V_FLAG_USE_CHECK_TIME | X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_IGNORE_CRITICAL |        \
     X509_V_FLAG_ALLOW_PROXY_CERTS)

bool tg_rule_uses_app(const struct tg_rule *rule)
{
    return !rule->anchors_only;
}

/* libcrypto's own check of signatures, which has no name of its own. */
static X509_STORE_CTX_verify_fn default_verify;

static void find_default(void)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();

    if (context != NULL && X509_STORE_CTX_init(context, NULL, NULL, NULL))
        default_verify = X509_STORE_CTX_get_verify(context);
    X509_STORE_CTX_free(context);
}

struct attempt {
    struct tg_findings findings; /* first: crl.c knows libcrypto's app_data as this */
    struct tg_evaluation *evaluation;
    bool anchored; /* the path that was verified ends in an anchor */
    bool vouched;  /* there is an anchor, and each signature from there down was right */
    bool ended;    /* before libcrypto's end, with a finding that says so */
};

/*
 * True if libcrypto's path ends in the anchor too. It takes whatever is self-signed for an end,
 * where the walk goes on to an anchor of the same name and another key.
 */
static bool reaches_anchor(X509_STORE_CTX *context)
{
    return X509_STORE_CTX_get_num_untrusted(context) <
           sk_X509_num(X509_STORE_CTX_get0_chain(context));
}

/* The dates of the certificates of CHAIN below DEPTH, that libcrypto won't come to. */
static void check_dates(struct attempt *attempt, const STACK_OF(X509) *chain, int depth)
{
    time_t when = attempt->evaluation->when;

    for (int i = depth - 1; !attempt->evaluation->rule->skip_dates && i >= 0; i--) {
        X509 *one = sk_X509_value(chain, i);

        if (X509_cmp_time(X509_get0_notBefore(one), &when) > 0)
            tg_findings_add_x509(&attempt->findings, X509_V_ERR_CERT_NOT_YET_VALID, i, one);
        if (X509_cmp_time(X509_get0_notAfter(one), &when) < 0)
            tg_findings_add_x509(&attempt->findings, X509_V_ERR_CERT_HAS_EXPIRED, i, one);
    }
}

/* True if what comes next is worth its EFFORT; if not, KIND is found, which nothing forgives. */
static bool afford(struct attempt *attempt, unsigned long effort, enum tg_finding_kind kind,
                   int depth, const char *what)
{
    struct tg_buf text = {0};

    if (effort <= TG_EFFORT_MAX && attempt->evaluation->effort <= TG_EFFORT_MAX - effort) {
        attempt->evaluation->effort += effort;
        return true;
    }
    attempt->ended = true;
    tg_buf_printf(&text, "%s not checked: more work than a path is worth that nobody vouches for",
                  what);
    tg_findings_add(&attempt->findings, kind, depth, 0, &text);
    return false;
}

/*
 * libcrypto is done with the signature and dates at one depth, from the anchor down: whether it
 * goes on. Where someone vouches for the path, always.
 */
static int go_on(struct attempt *attempt, X509_STORE_CTX *context)
{
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
    int depth = X509_STORE_CTX_get_error_depth(context);

    attempt->vouched = attempt->vouched && reaches_anchor(context);
    if (attempt->vouched)
        return 1;
    if (depth == 0)
        return afford(attempt, tg_effort_names(chain), TG_NAME_CONSTRAINT, 0,
                      "the names and name constraints were");
    if (afford(attempt, tg_effort_key(sk_X509_value(chain, depth)), TG_BAD_SIGNATURE, depth - 1,
               "the signature was"))
        return 1;
    check_dates(attempt, chain, depth);
    return 0;
}

/* Keeps every error that libcrypto finds and lets it go on to the next check. */
static int collect(int ok, X509_STORE_CTX *context)
{
    struct attempt *attempt = X509_STORE_CTX_get_app_data(context);
    int error = X509_STORE_CTX_get_error(context);

    /* A path that libcrypto verifies beside this one, for a CRL's signer, has no list. */
    if (attempt == NULL)
        return ok;
    if (ok)
        return go_on(attempt, context);
    if (!tg_crl_excused(context, error))
        tg_findings_add_x509(&attempt->findings, error, X509_STORE_CTX_get_error_depth(context),
                             X509_STORE_CTX_get_current_cert(context));
    if (tg_finding_by_x509(error) == TG_BAD_SIGNATURE ||
        error == X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY)
        attempt->vouched = false;
    /* An error left there stands for those that libcrypto finds later; it expects this one. */
    if (error != X509_V_ERR_CERT_REJECTED)
        X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
}

/* What the application asks for counts, except where it asks for less than a verification. */
static int inherit(X509_VERIFY_PARAM *param, X509_STORE_CTX *app)
{
    if (!X509_VERIFY_PARAM_set1(param, X509_STORE_CTX_get0_param(app)))
        return 0;
    /* Names are matched by name.c, which keeps the finding beside those of the path. */
    return X509_VERIFY_PARAM_clear_flags(param, WEAKENING) &&
           X509_VERIFY_PARAM_set1_host(param, NULL, 0) &&
           X509_VERIFY_PARAM_set1_email(param, NULL, 0) &&
           X509_VERIFY_PARAM_set1_ip(param, NULL, 0);
}

/* The rule's own, or the strictest of the connection's and PARAM's, which the application set. */
static int security_level(const struct tg_evaluation *evaluation, const X509_VERIFY_PARAM *param)
{
    const struct tg_rule *rule = evaluation->rule;
    int level = evaluation->query->security_level, set = X509_VERIFY_PARAM_get_auth_level(param);

    if (rule->set & TG_KEY_BIT(TG_KEY_SECURITY_LEVEL))
        return (int)rule->security_level;
    if (level < 0)
        level = TG_DEFAULT_SECURITY_LEVEL;
    return set > level ? set : level;
}

/*
 * What X509_verify_cert is asked for. Where the application's anchors count, so do its flags,
 * depth and CRLs: a rule that only adds a pin must not lose what the application checks.
 */
static int set_param(const struct tg_evaluation *evaluation, X509_STORE_CTX *context)
{
    const struct tg_rule *rule = evaluation->rule;
    X509_STORE_CTX *app = evaluation->query->app;
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    unsigned long flags =
        X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST | tg_crl_flags(rule);
    int purpose = rule->purpose == TG_PURPOSE_ANY ? X509_PURPOSE_ANY : X509_PURPOSE_SSL_SERVER;

    if (app != NULL && tg_rule_uses_app(rule) && !inherit(param, app))
        return 0;
    /* Where the subject counts as a name (name.c), the CAs' constraints hold for it too. */
    if (app != NULL && !tg_rule_uses_app(rule))
        X509_VERIFY_PARAM_set_hostflags(
            param, X509_VERIFY_PARAM_get_hostflags(X509_STORE_CTX_get0_param(app)) &
                       X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT);
    if (rule->strict)
        flags |= X509_V_FLAG_X509_STRICT;
    else if (rule->set & TG_KEY_BIT(TG_KEY_STRICT))
        X509_VERIFY_PARAM_clear_flags(param, X509_V_FLAG_X509_STRICT);
    if (rule->skip_dates)
        flags |= X509_V_FLAG_NO_CHECK_TIME;
    else
        X509_VERIFY_PARAM_set_time(param, evaluation->when);
    if (!X509_VERIFY_PARAM_set_flags(param, flags) ||
        !X509_VERIFY_PARAM_set_purpose(param, purpose) ||
        !X509_VERIFY_PARAM_set_trust(param, X509_TRUST_SSL_SERVER))
        return 0;
    X509_VERIFY_PARAM_set_auth_level(param, security_level(evaluation, param));
    return 1;
}

/* Certificates FROM to TO of PATH. */
static STACK_OF(X509) *part(const STACK_OF(X509) *path, int from, int to)
{
    STACK_OF(X509) *certificates = sk_X509_new_null();

    for (int i = from; certificates != NULL && i < to; i++)
        if (!sk_X509_push(certificates, sk_X509_value(path, i))) {
            sk_X509_free(certificates);
            return NULL;
        }
    return certificates;
}

/*
 * Extensions that don't parse make libcrypto ignore the certificate as an issuer, or report
 * something far from the cause: named here once more as what they are.
 */
static void check_encoding(struct tg_findings *findings, const STACK_OF(X509) *path)
{
    for (int i = 0; i < sk_X509_num(path); i++)
        if (X509_get_extension_flags(sk_X509_value(path, i)) & EXFLAG_INVALID)
            tg_findings_add_x509(findings, X509_V_ERR_INVALID_EXTENSION, i, sk_X509_value(path, i));
}

/*
 * The digest of the signature that ends a path without an anchor, which libcrypto leaves alone: its
 * issuer would answer for it, if there were one.
 */
static void check_last_digest(struct tg_findings *findings, const STACK_OF(X509) *path, int level)
{
    static const int bits[] = {0, 80, 112, 128, 192, 256};
    int depth = sk_X509_num(path) - 1, strength = 0;
    X509 *last = sk_X509_value(path, depth);

    if (level <= 0 || (X509_get_extension_flags(last) & EXFLAG_SS))
        return;
    if (!X509_get_signature_info(last, NULL, NULL, &strength, NULL) ||
        strength < bits[level < 5 ? level : 5])
        tg_findings_add_x509(findings, X509_V_ERR_CA_MD_TOO_WEAK, depth, last);
}

/* Whatever made libcrypto fail without a word is no reason to accept. */
static void check_end(struct attempt *attempt, X509_STORE_CTX *context, int verified)
{
    int error = X509_STORE_CTX_get_error(context);
    bool known = error == X509_V_OK || (tg_findings_kinds(&attempt->findings) &
                                        UINT64_C(1) << tg_finding_by_x509(error)) != 0;

    if (!known)
        tg_findings_add_x509(&attempt->findings, error, 0, NULL);
    else if (verified != 1 && !attempt->ended)
        tg_findings_add_x509(&attempt->findings, X509_V_ERR_UNSPECIFIED, 0, NULL);
}

/*
 * libcrypto asks CRLs before it has checked a signature, so that whoever takes the name of a CA
 * could have its lists checked with keys of his own. It is put off until the path's are.
 */
static int put_off(X509_STORE_CTX *context)
{
    return X509_STORE_CTX_get_app_data(context) != NULL ? 1 : tg_crl_check(context);
}

static int check_signatures(X509_STORE_CTX *context)
{
    struct attempt *attempt = X509_STORE_CTX_get_app_data(context);
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
    unsigned long effort = 0;
    int checked = default_verify(context);

    if (checked <= 0 || attempt == NULL)
        return checked;
    for (int i = 0; !attempt->vouched && i < sk_X509_num(chain); i++)
        effort += tg_effort_key(sk_X509_value(chain, i));
    if (!attempt->vouched && !afford(attempt, effort, TG_BAD_SIGNATURE, 0, "revocation was"))
        return 0;
    return tg_crl_check(context);
}

static int order_checks(X509_STORE *store)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (store == NULL)
        return 1;
    pthread_once(&once, find_default);
    if (default_verify == NULL)
        return 0;
    X509_STORE_set_check_revocation(store, put_off);
    X509_STORE_set_verify(store, check_signatures);
    return 1;
}

/* Adds to ATTEMPT what is wrong, and fills *CHAIN, the path that libcrypto made of PATH. 0 without
 * memory. */
static int verify(struct attempt *attempt, const STACK_OF(X509) *path, bool anchored,
                  STACK_OF(X509) **chain)
{
    const struct tg_evaluation *evaluation = attempt->evaluation;
    int length = sk_X509_num(path), end = anchored && length > 1 ? length - 1 : length;
    STACK_OF(X509) *untrusted = part(path, 1, end);
    STACK_OF(X509) *trusted = anchored ? part(path, length - 1, length) : sk_X509_new_null();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE *store = NULL;
    int done = 0;

    if (untrusted == NULL || trusted == NULL || context == NULL ||
        !tg_crl_store(evaluation, &store) || !order_checks(store) ||
        !X509_STORE_CTX_init(context, store, evaluation->query->leaf, untrusted) ||
        !set_param(evaluation, context) || !X509_STORE_CTX_set_app_data(context, attempt))
        goto end;
    X509_STORE_CTX_set0_trusted_stack(context, trusted);
    X509_STORE_CTX_set_verify_cb(context, collect);
    check_end(attempt, context, X509_verify_cert(context));
    attempt->anchored = anchored && reaches_anchor(context);
    check_encoding(&attempt->findings, path);
    if (!anchored)
        check_last_digest(&attempt->findings, path,
                          X509_VERIFY_PARAM_get_auth_level(X509_STORE_CTX_get0_param(context)));
    *chain = X509_STORE_CTX_get1_chain(context);
    /* Without memory libcrypto may have begun a path that doesn't even hold the leaf. */
    done = sk_X509_num(*chain) > 0 && !attempt->findings.failed;
end:
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    sk_X509_free(untrusted);
    sk_X509_free(trusted);
    return done;
}

bool tg_path_is_proven(bool anchored, const struct tg_findings *findings)
{
    return anchored && tg_findings_result(findings) != TG_RESULT_FATAL_FAILURE;
}

/* 1 if one of CHAIN's certificates FROM to TO has a key among PINS, 0 if none, -1 without memory.
 */
static int have_pin(const struct tg_digests *pins, const STACK_OF(X509) *chain, int from, int to)
{
    for (int i = from; i < to; i++) {
        uint8_t digest[TG_SHA256_SIZE];

        if (!tg_hash_spki(sk_X509_value(chain, i), digest))
            return -1;
        if (tg_digests_have(pins, digest))
            return 1;
    }
    return 0;
}

/*
 * TN2232's CA pinning: the key of a CA on the *verified* path. What a server merely sent is
 * on no path.
 */
static int check_ca_pins(const struct tg_evaluation *evaluation, const STACK_OF(X509) *chain,
                         bool proven, struct tg_findings *findings)
{
    const struct tg_digests *pins = &evaluation->rule->ca_pins;
    int count = proven ? sk_X509_num(chain) : 1;
    struct tg_buf text = {0};
    int found = pins->count > 0 ? have_pin(pins, chain, 1, count) : 1;

    if (found != 0)
        return found > 0;
    tg_buf_printf(&text, "none of the %d CA certificates on the verified path has a pinned key",
                  count - 1);
    tg_findings_add(findings, TG_CA_PIN_MISMATCH, 0, 0, &text);
    return !findings->failed;
}

/* RFC 7469, section 2.6: any key of the path. The server's own it has proven to hold anyway. */
static int check_path_pins(const struct tg_evaluation *evaluation, const STACK_OF(X509) *chain,
                           bool proven, struct tg_findings *findings)
{
    const struct tg_digests *pins = &evaluation->rule->path_pins;
    int count = proven ? sk_X509_num(chain) : 1;
    struct tg_buf text = {0};
    int found = pins->count > 0 ? have_pin(pins, chain, 0, count) : 1;

    if (found != 0)
        return found > 0;
    tg_buf_printf(&text,
                  "neither the server's key nor that of any of the %d CA certificates on "
                  "the verified path is pinned",
                  count - 1);
    tg_findings_add(findings, TG_PIN_MISMATCH, 0, 0, &text);
    return !findings->failed;
}

/* Both judge the path as it was verified: what one of them finds is no defect of it. */
static int check_pins(const struct tg_evaluation *evaluation, const STACK_OF(X509) *chain,
                      bool anchored, struct tg_findings *findings)
{
    bool proven = tg_path_is_proven(anchored, findings);

    return !evaluation->pins_enforced || (check_ca_pins(evaluation, chain, proven, findings) &&
                                          check_path_pins(evaluation, chain, proven, findings));
}

static bool acceptable(const struct tg_evaluation *evaluation, const struct tg_findings *findings)
{
    return (tg_findings_kinds(findings) & ~evaluation->forgiven) == 0;
}

static bool better(const struct tg_evaluation *evaluation, const struct tg_findings *findings)
{
    const struct tg_findings *best = &evaluation->findings;

    if (evaluation->path == NULL)
        return true;
    if (acceptable(evaluation, findings) != acceptable(evaluation, best))
        return acceptable(evaluation, findings);
    return tg_findings_badness(findings) < tg_findings_badness(best);
}

int tg_attempt(void *arg, const STACK_OF(X509) *path, bool anchored)
{
    struct tg_evaluation *evaluation = arg;
    struct attempt attempt = {.evaluation = evaluation, .vouched = anchored};
    struct tg_findings *findings = &attempt.findings;
    STACK_OF(X509) *chain = NULL;
    int found = -1;

    if (!tg_distrust_path(evaluation->policy, path, findings) ||
        !verify(&attempt, path, anchored, &chain))
        goto end;
    /* What a CA is constrained to is nobody's word before its certificate is signed. */
    if (!(tg_findings_kinds(findings) & UINT64_C(1) << TG_BAD_SIGNATURE))
        tg_reference_check_path(evaluation, chain, findings);
    tg_floor_check_path(evaluation->rule, chain, findings);
    if (!check_pins(evaluation, chain, attempt.anchored, findings) ||
        !tg_known_check_path(evaluation, chain, attempt.anchored, findings) || findings->failed)
        goto end;
    found = findings->count == 0;
    if (better(evaluation, findings)) {
        tg_findings_clear(&evaluation->findings);
        evaluation->findings = *findings;
        *findings = (struct tg_findings){0};
        sk_X509_pop_free(evaluation->path, X509_free);
        evaluation->path = chain;
        chain = NULL;
    }
end:
    tg_findings_clear(findings);
    sk_X509_pop_free(chain, X509_free);
    return found;
}
