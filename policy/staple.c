#include "staple.h"
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

/* What is wrong with an answer, in words; NULL: nothing. */
typedef const char *fault;

/*
 * The issuer itself signs, or a certificate that it issued for OCSP signing and that came with
 * the answer: nobody else, so the only anchor is the issuer (RFC 6960 section 4.2.2.2).
 */
static fault check_signer(OCSP_BASICRESP *answer, X509 *issuer, time_t when)
{
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *candidates = sk_X509_new_null();
    fault wrong = "memory ran out";

    if (store == NULL || candidates == NULL || !sk_X509_push(candidates, issuer) ||
        !X509_STORE_add_cert(store, issuer) ||
        !X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN))
        goto end;
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), when);
    wrong = OCSP_basic_verify(answer, candidates, store, 0) == 1
                ? NULL
                : "is not signed by the issuer or a responder that it delegated to";
end:
    sk_X509_free(candidates);
    X509_STORE_free(store);
    return wrong;
}

/* The answer for LEAF of ISSUER, whichever digest the responder named them with. */
static OCSP_SINGLERESP *find_single(OCSP_BASICRESP *answer, const X509 *leaf, const X509 *issuer)
{
    for (int i = 0; i < OCSP_resp_count(answer); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(answer, i);
        OCSP_CERTID *id = (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single), *wanted = NULL;
        ASN1_OBJECT *digest = NULL;
        const EVP_MD *md = NULL;
        int same;

        if (!OCSP_id_get0_info(NULL, &digest, NULL, NULL, id) ||
            (md = EVP_get_digestbyobj(digest)) == NULL ||
            (wanted = OCSP_cert_to_id(md, leaf, issuer)) == NULL)
            continue;
        same = OCSP_id_cmp(id, wanted) == 0;
        OCSP_CERTID_free(wanted);
        if (same)
            return single;
    }
    return NULL;
}

static fault check_times(const ASN1_GENERALIZEDTIME *from, const ASN1_GENERALIZEDTIME *until,
                         time_t when)
{
    time_t latest = when + TG_STAPLE_SKEW, earliest = when - TG_STAPLE_SKEW;

    if (from == NULL || X509_cmp_time(from, &latest) >= 0)
        return "is from the future";
    if (until == NULL)
        return "has no end (nextUpdate)";
    if (X509_cmp_time(until, &earliest) <= 0)
        return "is out of date";
    return NULL;
}

static void add(struct tg_evaluation *evaluation, enum tg_finding_kind kind, int x509_error,
                const char *words)
{
    struct tg_buf text = {0};

    tg_buf_printf(&text, "the stapled OCSP answer %s", words);
    tg_findings_add(&evaluation->findings, kind, 0, x509_error, &text);
}

/* What the answer says of the leaf, given that it is the issuer's word. */
static fault read_status(struct tg_evaluation *evaluation, OCSP_BASICRESP *answer,
                         const X509 *issuer)
{
    OCSP_SINGLERESP *single = find_single(answer, evaluation->query->leaf, issuer);
    ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
    int status, reason = 0;
    struct tm end;
    fault wrong;

    if (single == NULL)
        return "is for another certificate";
    status = OCSP_single_get0_status(single, &reason, NULL, &from, &until);
    wrong = check_times(from, until, evaluation->when);
    if (wrong != NULL)
        return wrong;
    if (!ASN1_TIME_to_tm(until, &end))
        return "has a malformed end";
    evaluation->staple_until = timegm(&end);
    if (status == V_OCSP_CERTSTATUS_REVOKED)
        add(evaluation, TG_REVOKED, 0, "says that the certificate is revoked");
    else if (status != V_OCSP_CERTSTATUS_GOOD)
        return "doesn't know the certificate";
    return NULL;
}

static fault check_answer(struct tg_evaluation *evaluation, OCSP_RESPONSE *response, X509 *issuer)
{
    OCSP_BASICRESP *answer = NULL;
    fault wrong;

    if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return "is an error of the responder";
    answer = OCSP_response_get1_basic(response);
    if (answer == NULL)
        return "is of an unknown kind";
    wrong = check_signer(answer, issuer, evaluation->when);
    if (wrong == NULL)
        wrong = read_status(evaluation, answer, issuer);
    OCSP_BASICRESP_free(answer);
    return wrong;
}

static fault check_bytes(struct tg_evaluation *evaluation)
{
    const struct tg_query *query = evaluation->query;
    const unsigned char *at = query->staple;
    X509 *issuer = sk_X509_value(evaluation->path, 1);
    OCSP_RESPONSE *response = NULL;
    fault wrong;

    if (issuer == NULL)
        return "can't be checked: the issuer of the certificate is not known";
    response = d2i_OCSP_RESPONSE(NULL, &at, (long)query->staple_length);
    if (response == NULL || at != query->staple + query->staple_length)
        wrong = "is malformed";
    else
        wrong = check_answer(evaluation, response, issuer);
    OCSP_RESPONSE_free(response);
    return wrong;
}

int tg_staple_check(struct tg_evaluation *evaluation)
{
    const struct tg_query *query = evaluation->query;
    enum tg_revocation wanted = evaluation->rule->revocation;
    fault wrong = NULL;

    if ((wanted != TG_REVOCATION_STAPLE && wanted != TG_REVOCATION_STAPLE_REQUIRED) ||
        query->staple_pending)
        return 1;
    if (query->staple != NULL)
        wrong = check_bytes(evaluation);
    else if (wanted == TG_REVOCATION_STAPLE_REQUIRED)
        wrong = "is missing, and the policy demands one";
    if (wrong != NULL)
        add(evaluation, TG_REVOCATION_UNKNOWN, X509_V_ERR_OCSP_VERIFY_FAILED, wrong);
    return !evaluation->findings.failed;
}
