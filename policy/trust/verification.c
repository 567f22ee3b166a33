#include "verification.h"
#include "authorities.h"
#include "cost.h"
#include "crl.h"
#include "param.h"
#include "selfanchored.h"
#include <openssl/x509v3.h>
#include <stddef.h>

/* One verification under way, libcrypto's app_data. */
struct run {
    struct tg_verification result;
    struct tg_evaluation *evaluation;
    X509_STORE_CTX_verify_fn verify; /* libcrypto's own check, which has no name of its own */
    bool vouched; /* there is an anchor, and each signature from there down was right */
    bool ended;   /* before libcrypto's end, with a finding that says so */
};
_Static_assert(offsetof(struct run, result.findings) == 0, "crl.h: the app_data is the findings");

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
static void check_dates(struct run *run, const STACK_OF(X509) *chain, int depth)
{
    time_t when = run->evaluation->when;

    for (int i = depth - 1; !run->evaluation->rule->skip_dates && i >= 0; i--) {
        X509 *one = sk_X509_value(chain, i);

        if (X509_cmp_time(X509_get0_notBefore(one), &when) > 0)
            tg_findings_add_x509(&run->result.findings, X509_V_ERR_CERT_NOT_YET_VALID, i, one);
        if (X509_cmp_time(X509_get0_notAfter(one), &when) < 0)
            tg_findings_add_x509(&run->result.findings, X509_V_ERR_CERT_HAS_EXPIRED, i, one);
    }
}

/* True if what comes next is worth its COST; if not, KIND is found, which nothing forgives. */
static bool afford(struct run *run, unsigned long cost, enum tg_finding_kind kind, int depth,
                   const char *what)
{
    struct tg_buf text = {0};

    if (cost <= TG_COST_MAX && run->evaluation->cost <= TG_COST_MAX - cost) {
        run->evaluation->cost += cost;
        return true;
    }
    run->ended = true;
    tg_buf_printf(&text, "%s not checked: more work than a path is worth that nobody vouches for",
                  what);
    tg_findings_add(&run->result.findings, kind, depth, 0, &text);
    return false;
}

/*
 * libcrypto is done with the signature and dates at one depth, from the anchor down: whether it
 * goes on. Where someone vouches for the path, always.
 */
static bool go_on(struct run *run, X509_STORE_CTX *context)
{
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
    int depth = X509_STORE_CTX_get_error_depth(context);

    if (run->vouched)
        return true;
    if (depth == 0)
        return afford(run, tg_cost_names(chain), TG_NAME_CONSTRAINT, 0,
                      "the names and name constraints were");
    if (afford(run, tg_cost_key(sk_X509_value(chain, depth)), TG_BAD_SIGNATURE, depth - 1,
               "the signature was"))
        return true;
    check_dates(run, chain, depth);
    return false;
}

/* X509_STORE_CTX_verify_cb: keeps every error that libcrypto finds and lets it go on to the next
 * check. */
static int collect(int ok, X509_STORE_CTX *context)
{
    struct run *run = X509_STORE_CTX_get_app_data(context);
    int error = X509_STORE_CTX_get_error(context);

    /* A path that libcrypto verifies beside this one, for a CRL's signer, has no list. */
    if (run == NULL)
        return ok;
    if (ok)
        return go_on(run, context);
    if (!tg_crl_excused(context, error))
        tg_findings_add_x509(&run->result.findings, error, X509_STORE_CTX_get_error_depth(context),
                             X509_STORE_CTX_get_current_cert(context));
    if (tg_finding_by_x509(error) == TG_BAD_SIGNATURE ||
        error == X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY)
        run->vouched = false;
    /* An error left there stands for those that libcrypto finds later; it expects this one. */
    if (error != X509_V_ERR_CERT_REJECTED)
        X509_STORE_CTX_set_error(context, X509_V_OK);
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

/* The time that the application verifies at is one more demand: it may be long ago. */
static void check_app_time(struct run *run, const STACK_OF(X509) *chain)
{
    const struct tg_evaluation *evaluation = run->evaluation;
    time_t when = evaluation->app_when;

    if (!evaluation->app_timed || evaluation->rule->skip_dates)
        return;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *one = sk_X509_value(chain, i);
        bool early = X509_cmp_time(X509_get0_notBefore(one), &when) >= 0;
        struct tg_buf text = {0};

        if (!early && X509_cmp_time(X509_get0_notAfter(one), &when) > 0)
            continue;
        tg_findings_who(&text, i, one);
        tg_buf_add(&text, early ? " was not yet valid" : " has expired");
        tg_buf_add(&text, " at the time that the program verifies at");
        tg_findings_add(&run->result.findings,
                        early ? TG_CERTIFICATE_NOT_YET_VALID : TG_CERTIFICATE_EXPIRED, i,
                        early ? X509_V_ERR_CERT_NOT_YET_VALID : X509_V_ERR_CERT_HAS_EXPIRED, &text);
    }
}

/* Whatever made libcrypto fail without a word is no reason to accept. */
static void check_end(struct run *run, X509_STORE_CTX *context, int verified)
{
    int error = X509_STORE_CTX_get_error(context);
    bool known = error == X509_V_OK || (tg_findings_kinds(&run->result.findings) &
                                        UINT64_C(1) << tg_finding_by_x509(error)) != 0;

    if (!known)
        tg_findings_add_x509(&run->result.findings, error, 0, NULL);
    else if (verified != 1 && !run->ended)
        tg_findings_add_x509(&run->result.findings, X509_V_ERR_UNSPECIFIED, 0, NULL);
}

/* The path of a leaf that is the anchor itself has no issuer, whose lists could be asked. */
static int check_revocation(X509_STORE_CTX *context, struct run *run)
{
    if (tg_crl_flags(run->evaluation->rule) == 0 || X509_STORE_CTX_get_num_untrusted(context) > 0)
        return tg_crl_check(context);
    return tg_selfanchored_check_crls(run->evaluation, &run->result.findings);
}

/*
 * X509_STORE_CTX_check_revocation_fn. libcrypto asks CRLs before it has checked a signature, so
 * that whoever takes the name of a CA could have its lists checked with keys of his own. It is put
 * off until the signatures of the path are.
 */
static int put_off(X509_STORE_CTX *context)
{
    return X509_STORE_CTX_get_app_data(context) != NULL ? 1 : tg_crl_check(context);
}

/* True if libcrypto would find nothing wrong with the dates of CHAIN from its third on. */
static bool are_valid(const struct tg_evaluation *evaluation, const STACK_OF(X509) *chain)
{
    time_t when = evaluation->when;

    for (int i = 2; !evaluation->rule->skip_dates && i < sk_X509_num(chain); i++)
        if (X509_cmp_time(X509_get0_notBefore(sk_X509_value(chain, i)), &when) >= 0 ||
            X509_cmp_time(X509_get0_notAfter(sk_X509_value(chain, i)), &when) <= 0)
            return false;
    return true;
}

/* The leaf's signature, and the dates of both, on the leaf and its issuer; then the path is whole
 * again. */
static int verify_lowest(const struct run *run, X509_STORE_CTX *context)
{
    STACK_OF(X509) *whole = X509_STORE_CTX_get1_chain(context);
    STACK_OF(X509) *lowest = X509_STORE_CTX_get1_chain(context);
    int checked;

    if (whole == NULL || lowest == NULL) {
        sk_X509_pop_free(whole, X509_free);
        sk_X509_pop_free(lowest, X509_free);
        return run->verify(context);
    }
    while (sk_X509_num(lowest) > 2)
        X509_free(sk_X509_pop(lowest));
    X509_STORE_CTX_set0_verified_chain(context, lowest);
    checked = run->verify(context);
    X509_STORE_CTX_set0_verified_chain(context, whole);
    return checked;
}

/* False where an anchor's own signature is asked for, or there are no two CAs to be known. */
static bool has_authorities(X509_STORE_CTX *context)
{
    const X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);

    return sk_X509_num(X509_STORE_CTX_get0_chain(context)) > 2 &&
           !(X509_VERIFY_PARAM_get_flags(param) & X509_V_FLAG_CHECK_SS_SIGNATURE);
}

/* libcrypto's own check, but for the signatures of CAs that it has found right before. */
static int check_unknown(struct run *run, X509_STORE_CTX *context)
{
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
    size_t reported = run->result.findings.reported;
    uint8_t key[TG_SHA256_SIZE];
    int checked;

    if (!run->vouched || !has_authorities(context) || !tg_authorities_key(chain, key))
        return run->verify(context);
    if (tg_authorities_known(key) && are_valid(run->evaluation, chain))
        return verify_lowest(run, context);
    checked = run->verify(context);
    if (checked == 1 && run->vouched && run->result.findings.reported == reported)
        tg_authorities_keep(key);
    return checked;
}

/* X509_STORE_CTX_verify_fn. */
static int check_signatures(X509_STORE_CTX *context)
{
    struct run *run = X509_STORE_CTX_get_app_data(context);
    const STACK_OF(X509) *chain = NULL;
    unsigned long cost = 0;
    int checked;

    run->vouched = run->vouched && reaches_anchor(context);
    checked = check_unknown(run, context);
    if (checked <= 0 || X509_STORE_CTX_get0_store(context) == NULL)
        return checked;
    chain = X509_STORE_CTX_get0_chain(context);
    for (int i = 0; !run->vouched && i < sk_X509_num(chain); i++)
        cost += tg_cost_key(sk_X509_value(chain, i));
    if (!run->vouched && !afford(run, cost, TG_BAD_SIGNATURE, 0, "revocation was"))
        return 0;
    return check_revocation(context, run);
}

/* What libcrypto says nothing of, or not what it is. */
static void check_rest(struct run *run, X509_STORE_CTX *context, const STACK_OF(X509) *path,
                       bool anchored)
{
    struct tg_findings *findings = &run->result.findings;

    check_encoding(findings, path);
    check_app_time(run, path);
    if (!anchored)
        check_last_digest(findings, path,
                          X509_VERIFY_PARAM_get_auth_level(X509_STORE_CTX_get0_param(context)));
}

/* Fills the result of RUN by the CONTEXT that holds PATH. */
static bool verify(struct run *run, X509_STORE_CTX *context, const STACK_OF(X509) *path,
                   bool anchored)
{
    struct tg_verification *result = &run->result;

    X509_STORE_CTX_set_verify_cb(context, collect);
    check_end(run, context, X509_verify_cert(context));
    result->anchored = anchored && reaches_anchor(context);
    check_rest(run, context, path, anchored);
    result->chain = X509_STORE_CTX_get1_chain(context);
    /* Without memory libcrypto may have begun a path that doesn't even hold the leaf. */
    return sk_X509_num(result->chain) > 0 && !result->findings.failed;
}

static bool run_on(struct run *run, const STACK_OF(X509) *path, bool anchored)
{
    const struct tg_evaluation *evaluation = run->evaluation;
    int length = sk_X509_num(path), end = anchored && length > 1 ? length - 1 : length;
    STACK_OF(X509) *untrusted = part(path, 1, end);
    STACK_OF(X509) *trusted = anchored ? part(path, length - 1, length) : sk_X509_new_null();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE *store = NULL;
    bool done = false;

    if (untrusted == NULL || trusted == NULL || context == NULL ||
        !tg_crl_store(evaluation, &store))
        goto end;
    if (store != NULL)
        X509_STORE_set_check_revocation(store, put_off);
    if (!X509_STORE_CTX_init(context, store, evaluation->query->leaf, untrusted) ||
        !tg_param_set(evaluation, context) || !X509_STORE_CTX_set_app_data(context, run))
        goto end;
    run->verify = X509_STORE_CTX_get_verify(context);
    X509_STORE_CTX_set_verify(context, check_signatures);
    X509_STORE_CTX_set0_trusted_stack(context, trusted);
    done = verify(run, context, path, anchored);
end:
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    sk_X509_free(untrusted);
    sk_X509_free(trusted);
    return done;
}

bool tg_verification_run(struct tg_evaluation *evaluation, const STACK_OF(X509) *path,
                         bool anchored, struct tg_verification *result)
{
    struct run run = {.result = *result, .evaluation = evaluation, .vouched = anchored};
    bool done = run_on(&run, path, anchored);

    *result = run.result;
    return done;
}

bool tg_verification_proves(const struct tg_verification *result)
{
    return result->anchored && tg_findings_result(&result->findings) != TG_RESULT_FATAL_FAILURE;
}

void tg_verification_clear(struct tg_verification *result)
{
    tg_findings_clear(&result->findings);
    sk_X509_pop_free(result->chain, X509_free);
    result->chain = NULL;
}
