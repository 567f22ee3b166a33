#include "staple.h"
#include "distrust.h"
#include "selfanchored.h"
#include "text.h"
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

/* TLS extensions (RFC 6066 section 8, RFC 6961) as a certificate promises them. */
#define STATUS_REQUEST    5
#define STATUS_REQUEST_V2 17

/* What is wrong with an answer, in words; NULL: nothing. */
typedef const char *fault;

static const char no_memory[] = "can't be read: memory ran out";
static const char not_signed[] = "is not signed by the issuer or a responder that it delegated to";

/*
 * The issuer itself signs, or a certificate that it issued for OCSP signing and that came with
 * the answer: nobody else (RFC 6960 section 4.2.2.2). By their keys alone, for an answer that
 * revokes counts whatever else is wrong with their certificates.
 */
static bool is_signed(OCSP_BASICRESP *answer, X509 *issuer, STACK_OF(X509) *candidates,
                      X509 **signer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);

    return OCSP_basic_verify(answer, candidates, NULL, OCSP_NOVERIFY) == 1 &&
           OCSP_resp_get0_signer(answer, signer, candidates) == 1 &&
           (X509_cmp(*signer, issuer) == 0 ||
            ((X509_get_extension_flags(*signer) & EXFLAG_XKUSAGE) &&
             (X509_get_extended_key_usage(*signer) & XKU_OCSP_SIGN) && key != NULL &&
             X509_verify(*signer, key) == 1));
}

static bool is_valid_at(const X509 *certificate, time_t when)
{
    return X509_cmp_time(X509_get0_notBefore(certificate), &when) < 0 &&
           X509_cmp_time(X509_get0_notAfter(certificate), &when) > 0;
}

/*
 * All that is asked of one who says something good. The issuer's dates are a matter of the path,
 * at the time that it is verified at; a responder speaks for the answer alone, so at the real time.
 */
static bool is_sound(const struct tg_evaluation *evaluation, OCSP_BASICRESP *answer, X509 *issuer,
                     STACK_OF(X509) *candidates, const X509 *signer)
{
    X509_STORE *store = X509_STORE_new();
    bool sound =
        store != NULL && X509_STORE_add_cert(store, issuer) &&
        X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME) &&
        OCSP_basic_verify(answer, candidates, store, 0) == 1 &&
        is_valid_at(issuer, evaluation->when) &&
        (X509_cmp(signer, issuer) == 0 || is_valid_at(signer, evaluation->now));

    X509_STORE_free(store);
    return sound;
}

/* What there is against a good word of SIGNER's, one that the policy distrusts included. */
static fault check_word(const struct tg_evaluation *evaluation, OCSP_BASICRESP *answer,
                        X509 *issuer, STACK_OF(X509) *candidates, const X509 *signer)
{
    int distrusted = tg_distrusts(evaluation->policy, signer, issuer);

    if (distrusted != 0)
        return distrusted > 0 ? "is signed by one whom the policy distrusts" : no_memory;
    return is_sound(evaluation, answer, issuer, candidates, signer) ? NULL : not_signed;
}

/* NULL, and why what is good doesn't count in *UNSOUND: the issuer or its responder signed. */
static fault check_signer(const struct tg_evaluation *evaluation, OCSP_BASICRESP *answer,
                          X509 *issuer, fault *unsound)
{
    STACK_OF(X509) *candidates = sk_X509_new_null();
    X509 *signer = NULL;
    fault wrong = no_memory;

    if (candidates != NULL && sk_X509_push(candidates, issuer)) {
        wrong = is_signed(answer, issuer, candidates, &signer) ? NULL : not_signed;
        if (wrong == NULL)
            *unsound = check_word(evaluation, answer, issuer, candidates, signer);
    }
    sk_X509_free(candidates);
    return wrong;
}

enum about { ABOUT_ANOTHER, ABOUT_LEAF, ABOUT_UNKNOWN };

/* Whether SINGLE is about LEAF of ISSUER, whichever digest the responder named them with. */
static enum about about(const OCSP_SINGLERESP *single, const X509 *leaf, const X509 *issuer)
{
    OCSP_CERTID *id = (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single), *wanted = NULL;
    ASN1_OBJECT *digest = NULL;
    const EVP_MD *md = NULL;
    bool same;

    if (!OCSP_id_get0_info(NULL, &digest, NULL, NULL, id) ||
        (md = EVP_get_digestbyobj(digest)) == NULL)
        return ABOUT_ANOTHER;
    wanted = OCSP_cert_to_id(md, leaf, issuer);
    if (wanted == NULL)
        return ABOUT_UNKNOWN;
    same = OCSP_id_cmp(id, wanted) == 0;
    OCSP_CERTID_free(wanted);
    return same ? ABOUT_LEAF : ABOUT_ANOTHER;
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

/* One word of the issuer's on the leaf; that it is revoked stays so when it is out of date. */
static fault read_status(struct tg_evaluation *evaluation, OCSP_SINGLERESP *single, fault unsound)
{
    ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
    int reason = 0, status = OCSP_single_get0_status(single, &reason, NULL, &from, &until);
    struct tm end;
    fault wrong;

    if (status == V_OCSP_CERTSTATUS_REVOKED)
        add(evaluation, TG_REVOKED, 0, "says that the certificate is revoked");
    else if (unsound != NULL)
        return unsound;
    wrong = check_times(from, until, evaluation->now);
    if (wrong != NULL)
        return wrong;
    if (!ASN1_TIME_to_tm(until, &end))
        return "has a malformed end";
    if (evaluation->staple_until == 0 || timegm(&end) < evaluation->staple_until)
        evaluation->staple_until = timegm(&end);
    if (status != V_OCSP_CERTSTATUS_GOOD && status != V_OCSP_CERTSTATUS_REVOKED)
        return "doesn't know the certificate";
    return NULL;
}

/* What the answer says of the leaf; of several words none takes another back. */
static fault read_all(struct tg_evaluation *evaluation, OCSP_BASICRESP *answer, X509 *issuer)
{
    fault unsound = not_signed, found;
    fault wrong = check_signer(evaluation, answer, issuer, &unsound);

    if (wrong != NULL)
        return wrong;
    wrong = "is for another certificate";
    for (int i = 0, seen = 0; i < OCSP_resp_count(answer); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(answer, i);
        enum about whom = about(single, evaluation->query->leaf, issuer);

        if (whom == ABOUT_UNKNOWN)
            return no_memory;
        if (whom == ABOUT_ANOTHER)
            continue;
        found = read_status(evaluation, single, unsound);
        if (seen++ == 0 || found != NULL)
            wrong = found;
    }
    return wrong;
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
    wrong = read_all(evaluation, answer, issuer);
    OCSP_BASICRESP_free(answer);
    return wrong;
}

static fault check_bytes(struct tg_evaluation *evaluation, X509 *issuer)
{
    const struct tg_query *query = evaluation->query;
    const unsigned char *at = query->staple;
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

/* Of a path, or of a leaf that is its own anchor. *WRONG: what there is against the staple. */
static bool check_staple(struct tg_evaluation *evaluation, fault *wrong)
{
    X509 *issuer = sk_X509_value(evaluation->path, 1);

    if (issuer != NULL)
        X509_up_ref(issuer);
    else if (!tg_selfanchored_issuer(evaluation, &issuer))
        return false;
    *wrong = check_bytes(evaluation, issuer);
    X509_free(issuer);
    return true;
}

/*
 * RFC 7633 section 4.2.1: the server has promised a staple. That of a CA binds those below it. What
 * doesn't parse may have promised it.
 */
static bool promises_staple(const X509 *certificate)
{
    int found;
    TLS_FEATURE *features = X509_get_ext_d2i(certificate, NID_tlsfeature, &found, NULL);
    bool promises = features == NULL && found != -1;

    for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++) {
        long feature = ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i));

        promises = promises || feature == STATUS_REQUEST || feature == STATUS_REQUEST_V2;
    }
    TLS_FEATURE_free(features);
    return promises;
}

static fault check_promise(const struct tg_evaluation *evaluation)
{
    bool promised = promises_staple(evaluation->query->leaf);

    for (int i = 1; !promised && i < sk_X509_num(evaluation->path); i++)
        promised = promises_staple(sk_X509_value(evaluation->path, i));
    return promised ? "is missing, and the certificate promises one (RFC 7633)" : NULL;
}

bool tg_staple_check(struct tg_evaluation *evaluation)
{
    const struct tg_query *query = evaluation->query;
    enum tg_revocation wanted = evaluation->rule->revocation;
    fault wrong = NULL;

    if ((wanted != TG_REVOCATION_STAPLE && wanted != TG_REVOCATION_STAPLE_REQUIRED) ||
        query->staple_pending)
        return true;
    if (query->staple == NULL)
        wrong = wanted == TG_REVOCATION_STAPLE_REQUIRED ? "is missing, and the policy demands one"
                                                        : check_promise(evaluation);
    else if (!check_staple(evaluation, &wrong))
        return false;
    if (wrong != NULL)
        add(evaluation, TG_REVOCATION_UNKNOWN, X509_V_ERR_OCSP_VERIFY_FAILED, wrong);
    return !evaluation->findings.failed;
}
