#include "crl.h"
#include "crlmemo.h"
#include "crlorder.h"
#include "hash.h"
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

unsigned long tg_crl_flags(const struct tg_rule *rule)
{
    switch (rule->revocation) {
    case TG_REVOCATION_CRL:
        return X509_V_FLAG_CRL_CHECK | X509_V_FLAG_EXTENDED_CRL_SUPPORT;
    case TG_REVOCATION_CRL_CHAIN:
        return X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL | X509_V_FLAG_EXTENDED_CRL_SUPPORT;
    default:
        return 0;
    }
}

bool tg_crl_excused(X509_STORE_CTX *context, int x509_error)
{
    int depth = X509_STORE_CTX_get_error_depth(context);

    return x509_error == X509_V_ERR_UNABLE_TO_GET_CRL && depth > 0 &&
           depth == sk_X509_num(X509_STORE_CTX_get0_chain(context)) - 1;
}

/* The evaluation that a verification on one of our stores belongs to. */
static const struct tg_evaluation *evaluation_of(const X509_STORE_CTX *context)
{
    return X509_STORE_get_ex_data(X509_STORE_CTX_get0_store(context), 0);
}

static bool asks_app(const struct tg_evaluation *evaluation)
{
    X509_STORE_CTX *app = tg_evaluation_app(evaluation);

    return app != NULL &&
           (X509_VERIFY_PARAM_get_flags(X509_STORE_CTX_get0_param(app)) & X509_V_FLAG_CRL_CHECK);
}

static bool add_matching(STACK_OF(X509_CRL) *found, const STACK_OF(X509_CRL) *from,
                         const X509_NAME *issuer)
{
    for (int i = 0; i < sk_X509_CRL_num(from); i++) {
        X509_CRL *crl = sk_X509_CRL_value(from, i);

        if (X509_NAME_cmp(X509_CRL_get_issuer(crl), issuer) != 0)
            continue;
        if (!X509_CRL_up_ref(crl))
            return false;
        if (!sk_X509_CRL_push(found, crl)) {
            X509_CRL_free(crl);
            return false;
        }
    }
    return true;
}

/* X509_STORE_CTX_lookup_crls_fn: the rule's CRLs of ISSUER, and the application's. */
static STACK_OF(X509_CRL) *lookup(const X509_STORE_CTX *context, const X509_NAME *issuer)
{
    const struct tg_evaluation *evaluation = evaluation_of(context);
    X509_STORE_CTX *app = evaluation->query->app;
    STACK_OF(X509_CRL) *found = NULL;

    if (asks_app(evaluation))
        found = X509_STORE_CTX_get_lookup_crls(app)(app, issuer);
    if (found == NULL)
        found = sk_X509_CRL_new_null();
    if (found != NULL && add_matching(found, evaluation->rule->crls, issuer))
        return found;
    sk_X509_CRL_pop_free(found, X509_CRL_free);
    return NULL;
}

/* The checks that libcrypto would make; they have no names of their own. */
static X509_STORE_CTX_check_crl_fn default_check;
static X509_STORE_CTX_check_revocation_fn default_revocation;

static void find_defaults(void)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();

    if (context != NULL && X509_STORE_CTX_init(context, NULL, NULL, NULL)) {
        default_check = X509_STORE_CTX_get_check_crl(context);
        default_revocation = X509_STORE_CTX_get_check_revocation(context);
    }
    X509_STORE_CTX_free(context);
}

/*
 * The time at which a list must be fresh (RFC 5280 section 6.3.3): the clock's, whatever the rule
 * says of certificates' dates, or an old list would hide what was revoked since. Where only the
 * application asks for lists, it is the application's.
 */
static time_t list_time(const struct tg_evaluation *evaluation)
{
    time_t when;

    if (tg_crl_flags(evaluation->rule) == 0 && tg_query_verify_time(evaluation->query, &when))
        return when;
    return evaluation->now;
}

static bool is_own(const STACK_OF(X509_CRL) *crls, const X509_CRL *crl)
{
    for (int i = 0; i < sk_X509_CRL_num(crls); i++)
        if (sk_X509_CRL_value(crls, i) == crl)
            return true;
    return false;
}

/*
 * A complete CRL of the policy's, of the certificate's own issuer: whether it is genuine
 * depends on nothing but itself and that issuer. Anything else is checked anew each time.
 */
static X509 *plain_issuer(X509_STORE_CTX *context, X509_CRL *crl)
{
    const struct tg_rule *rule = evaluation_of(context)->rule;
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
    X509 *issuer = sk_X509_value(chain, X509_STORE_CTX_get_error_depth(context) + 1);
    X509 *current = X509_STORE_CTX_get0_current_issuer(context);

    if (issuer == NULL || !is_own(rule->crls, crl) ||
        (current != NULL && X509_cmp(current, issuer) != 0) ||
        X509_CRL_get_ext_by_NID(crl, NID_issuing_distribution_point, -1) >= 0 ||
        X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
        return NULL;
    return issuer;
}

static bool in_time(const X509_CRL *crl, time_t when)
{
    const ASN1_TIME *until = X509_CRL_get0_nextUpdate(crl);

    return X509_cmp_time(X509_CRL_get0_lastUpdate(crl), &when) < 0 && until != NULL &&
           X509_cmp_time(until, &when) > 0;
}

static void report(X509_STORE_CTX *context, int x509_error)
{
    tg_findings_add_x509(X509_STORE_CTX_get_app_data(context), x509_error,
                         X509_STORE_CTX_get_error_depth(context),
                         X509_STORE_CTX_get_current_cert(context));
}

/* The default check, once for a list and issuer. The findings tell whether it found fault. */
static int check_genuine(X509_STORE_CTX *context, X509_CRL *crl)
{
    const struct tg_evaluation *evaluation = evaluation_of(context);
    const struct tg_findings *findings = X509_STORE_CTX_get_app_data(context);
    struct tg_crl_memo *memo = evaluation->policy != NULL ? evaluation->policy->crl_memo : NULL;
    X509 *issuer = plain_issuer(context, crl);
    size_t before = findings->reported;
    uint8_t digest[TG_SHA256_SIZE];
    int checked;

    if (issuer == NULL || !in_time(crl, list_time(evaluation)) ||
        !tg_hash_certificate(issuer, digest))
        return default_check(context, crl);
    if (tg_crlmemo_has(memo, crl, digest))
        return 1;
    checked = default_check(context, crl);
    if (checked == 1 && findings->reported == before && !findings->failed)
        tg_crlmemo_add(memo, crl, digest);
    return checked;
}

/* What a delta CRL is to a complete one. */
enum delta { DELTA_UNFIT, DELTA_CONTAINED, DELTA_ADDS };

/* DELTA_UNFIT where it can't be told, or there is a gap between the two. */
static enum delta compare(const X509_CRL *delta, const X509_CRL *base)
{
    ASN1_INTEGER *from = X509_CRL_get_ext_d2i(delta, NID_delta_crl, NULL, NULL);
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(delta, NID_crl_number, NULL, NULL);
    ASN1_INTEGER *has = X509_CRL_get_ext_d2i(base, NID_crl_number, NULL, NULL);
    enum delta is = DELTA_UNFIT;

    if (from != NULL && number != NULL && has != NULL) {
        if (ASN1_INTEGER_cmp(number, has) <= 0)
            is = DELTA_CONTAINED;
        else if (ASN1_INTEGER_cmp(from, has) <= 0)
            is = DELTA_ADDS;
    }
    ASN1_INTEGER_free(from);
    ASN1_INTEGER_free(number);
    ASN1_INTEGER_free(has);
    return is;
}

/* A certificate that DELTA takes off the list again stays on it until the next complete one. As
 * X509_STORE_CTX_check_crl_fn. */
static int apply(X509_STORE_CTX *context, X509_CRL *delta, const X509_CRL *base)
{
    const struct tg_evaluation *evaluation = evaluation_of(context);
    enum delta is = compare(delta, base);

    if (is == DELTA_CONTAINED)
        return 1;
    if (is == DELTA_UNFIT)
        report(context, X509_V_ERR_DIFFERENT_CRL_SCOPE);
    else if (!in_time(delta, list_time(evaluation)))
        report(context, X509_V_ERR_CRL_HAS_EXPIRED);
    return default_check(context, delta) &&
           X509_STORE_CTX_get_cert_crl(context)(context, delta,
                                                X509_STORE_CTX_get_current_cert(context));
}

/*
 * libcrypto looks at a delta only where a freshestCRL extension announces one. The policy names
 * its deltas, so that each of the same issuer as BASE counts, or is a finding.
 */
static int apply_deltas(X509_STORE_CTX *context, const X509_CRL *base)
{
    const STACK_OF(X509_CRL) *crls = evaluation_of(context)->rule->crls;

    for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
        X509_CRL *crl = sk_X509_CRL_value(crls, i);

        if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0 &&
            X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_CRL_get_issuer(base)) == 0 &&
            !apply(context, crl, base))
            return 0;
    }
    return 1;
}

/*
 * True for a list that a namesake off the path's own order signed. libcrypto would verify the path
 * of the namesake on a context of its own, which has no list of findings.
 */
static bool is_stray(const X509_STORE_CTX *context)
{
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
    const X509 *issuer = X509_STORE_CTX_get0_current_issuer(context);
    int i = X509_STORE_CTX_get_error_depth(context);

    /* An anchor is its own issuer. */
    i = i + 1 < sk_X509_num(chain) ? i + 1 : i;
    for (; issuer != NULL && i < sk_X509_num(chain); i++)
        if (sk_X509_value(chain, i) == issuer)
            return false;
    return issuer != NULL;
}

/* By whom the list is signed that libcrypto checks now. */
static X509 *signer_of_list(const X509_STORE_CTX *context)
{
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
    X509 *current = X509_STORE_CTX_get0_current_issuer(context);
    X509 *issuer = sk_X509_value(chain, X509_STORE_CTX_get_error_depth(context) + 1);

    if (current != NULL)
        return current;
    return issuer != NULL ? issuer : sk_X509_value(chain, sk_X509_num(chain) - 1);
}

/*
 * Revoked stays revoked: of the lists beside CRL, which libcrypto has taken, the newest counts too,
 * whatever its dates. False only when memory ran out.
 */
static bool check_newest(X509_STORE_CTX *context, X509_CRL *crl)
{
    const struct tg_evaluation *evaluation = evaluation_of(context);
    X509 *issuer = signer_of_list(context);
    const struct tg_crl_order order = {
        .certificate = X509_STORE_CTX_get_current_cert(context),
        .key = issuer != NULL ? X509_get0_pubkey(issuer) : NULL,
        .taken = crl,
    };
    STACK_OF(X509_CRL) *lists = lookup(context, X509_CRL_get_issuer(crl));
    time_t when = list_time(evaluation);
    bool unsure = false;
    X509_CRL *newest = tg_crl_newest(&order, lists, &unsure);

    if (newest != NULL && tg_crl_revokes(newest, order.certificate))
        report(context, X509_V_ERR_CERT_REVOKED);
    if (newest != NULL && X509_CRL_get0_nextUpdate(newest) != NULL &&
        X509_cmp_time(X509_CRL_get0_nextUpdate(newest), &when) <= 0)
        report(context, X509_V_ERR_CRL_HAS_EXPIRED);
    if (unsure)
        report(context, X509_V_ERR_CRL_SIGNATURE_FAILURE);
    sk_X509_CRL_pop_free(lists, X509_CRL_free);
    return lists != NULL;
}

/* X509_STORE_CTX_check_crl_fn, of a complete list; libcrypto then looks for the certificate. */
static int check(X509_STORE_CTX *context, X509_CRL *crl)
{
    if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
        return default_check(context, crl);
    if (is_stray(context)) {
        report(context, X509_V_ERR_CRL_PATH_VALIDATION_ERROR);
        return 1;
    }
    /* RFC 5280 section 5.1.2.5 demands an end: without one, a list never grows stale. */
    if (X509_CRL_get0_nextUpdate(crl) == NULL && is_own(evaluation_of(context)->rule->crls, crl))
        report(context, X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD);
    return check_genuine(context, crl) && check_newest(context, crl) && apply_deltas(context, crl);
}

/* All of it at the time of lists, not of certificates. */
int tg_crl_check(X509_STORE_CTX *context)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    bool timed = X509_VERIFY_PARAM_get_flags(param) & X509_V_FLAG_USE_CHECK_TIME;
    time_t when = X509_VERIFY_PARAM_get_time(param);
    int checked;

    X509_VERIFY_PARAM_set_time(param, list_time(evaluation_of(context)));
    checked = default_revocation(context);
    X509_VERIFY_PARAM_set_time(param, when);
    if (!timed)
        X509_VERIFY_PARAM_clear_flags(param, X509_V_FLAG_USE_CHECK_TIME);
    return checked;
}

X509_STORE *tg_crl_store_new(const struct tg_evaluation *evaluation)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    X509_STORE *store = NULL;

    pthread_once(&once, find_defaults);
    if (default_check == NULL || default_revocation == NULL || (store = X509_STORE_new()) == NULL)
        return NULL;
    if (!X509_STORE_set_ex_data(store, 0, (void *)evaluation)) {
        X509_STORE_free(store);
        return NULL;
    }
    X509_STORE_set_lookup_crls(store, lookup);
    X509_STORE_set_check_crl(store, check);
    X509_STORE_set_check_revocation(store, tg_crl_check);
    return store;
}

bool tg_crl_store(const struct tg_evaluation *evaluation, X509_STORE **store)
{
    *store = NULL;
    if (!asks_app(evaluation) && tg_crl_flags(evaluation->rule) == 0)
        return true;
    *store = tg_crl_store_new(evaluation);
    return *store != NULL;
}
