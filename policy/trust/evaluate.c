#include "evaluate.h"
#include "attempt.h"
#include "distrust.h"
#include "floor.h"
#include "hash.h"
#include "moment.h"
#include "path.h"
#include "pin.h"
#include "reference.h"
#include "staple.h"
#include "system.h"
#include "text.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static time_t certificate_time(const struct tg_evaluation *evaluation)
{
    X509_STORE_CTX *app = evaluation->query->app;
    const X509_VERIFY_PARAM *param = app != NULL ? X509_STORE_CTX_get0_param(app) : NULL;

    if (evaluation->rule->verify_time != 0)
        return evaluation->rule->verify_time;
    if (tg_rule_uses_app(evaluation->rule) && param != NULL &&
        (X509_VERIFY_PARAM_get_flags((X509_VERIFY_PARAM *)param) & X509_V_FLAG_USE_CHECK_TIME))
        return X509_VERIFY_PARAM_get_time(param);
    return evaluation->now;
}

static int begin(struct tg_evaluation *evaluation)
{
    const struct tg_query *query = evaluation->query;

    evaluation->now = query->now != 0 ? query->now : time(NULL);
    evaluation->when = certificate_time(evaluation);
    evaluation->pins_enforced =
        evaluation->rule->pins_expire == 0 || evaluation->now < evaluation->rule->pins_expire;
    if (query->leaf_digest != NULL)
        memcpy(evaluation->leaf_digest, query->leaf_digest, TG_SHA256_SIZE);
    else if (!tg_hash_certificate(query->leaf, evaluation->leaf_digest))
        return 0;
    evaluation->leaf_digested = true;
    evaluation->forgiven = query->forgiven;
    if (evaluation->policy != NULL)
        evaluation->forgiven |= tg_policy_forgiven(evaluation->policy, query->host, query->port,
                                                   evaluation->leaf_digest, evaluation->now,
                                                   &evaluation->forgiven_until);
    return 1;
}

/* TN2232, "Trusting One Specific Certificate": an identity token, whatever it says. */
static int trust_certificate(struct tg_evaluation *evaluation, bool *trusted)
{
    *trusted = false;
    if (!tg_digests_have(&evaluation->rule->trusted_leaves, evaluation->leaf_digest))
        return 1;
    if (!tg_distrust_sent(evaluation->policy, evaluation->query, &evaluation->findings))
        return 0;
    evaluation->path = sk_X509_new_null();
    if (evaluation->path == NULL || !sk_X509_push(evaluation->path, evaluation->query->leaf))
        return 0;
    X509_up_ref(evaluation->query->leaf);
    *trusted = true;
    return 1;
}

/* Why a certificate that has the issuer's name isn't the issuer that was not found. */
static void explain_missing(struct tg_evaluation *evaluation, const struct tg_path_sources *sources)
{
    int depth = sk_X509_num(evaluation->path) - 1;
    bool key = false;

    if (depth < 0 || !tg_path_misfit(sources, sk_X509_value(evaluation->path, depth), &key))
        return;
    tg_findings_extend(&evaluation->findings, TG_MISSING_ISSUER, depth,
                       key ? ": a certificate of that name is there, but its key isn't the one "
                             "of the authority key identifier"
                           : ": a certificate of that name is there, but its issuer and serial "
                             "number aren't those of the authority key identifier");
}

static bool ends_without_anchor(const struct tg_findings *findings)
{
    return (tg_findings_kinds(findings) &
            (UINT64_C(1) << TG_MISSING_ISSUER | UINT64_C(1) << TG_UNTRUSTED_ROOT |
             UINT64_C(1) << TG_SELF_SIGNED_LEAF)) != 0;
}

/* What kept the walk from a good path, beside the faults of the best one. */
static void explain_end(struct tg_evaluation *evaluation, const struct tg_path_end *end)
{
    struct tg_buf text = {0};

    if (end->unfit != NULL)
        tg_findings_add_x509(&evaluation->findings, X509_V_ERR_KEYUSAGE_NO_CERTSIGN,
                             end->unfit_depth, end->unfit);
    if (end->rejected != NULL && ends_without_anchor(&evaluation->findings))
        tg_findings_add_x509(&evaluation->findings, X509_V_ERR_CERT_REJECTED, end->rejected_depth,
                             end->rejected);
    if (!end->spent)
        return;
    tg_buf_add(&text, "no good path among those that could be tried within bounds");
    tg_findings_add(&evaluation->findings, TG_PATH_TOO_LONG, 0, 0, &text);
}

static int find_path(struct tg_evaluation *evaluation)
{
    const struct tg_rule *rule = evaluation->rule;
    const struct tg_query *query = evaluation->query;
    X509_STORE_CTX *app = tg_rule_uses_app(rule) ? query->app : NULL;
    struct tg_path_sources sources = {
        .anchors = rule->anchors,
        .app = app,
        .app_partial = app != NULL && (X509_VERIFY_PARAM_get_flags(X509_STORE_CTX_get0_param(app)) &
                                       X509_V_FLAG_PARTIAL_CHAIN),
        .sent = query->sent,
        .intermediates = rule->intermediates,
        .when = evaluation->when,
    };
    struct tg_path_end end;
    int found;

    if (rule->anchors_system && (sources.system = tg_system_store(evaluation->policy)) == NULL)
        return 0;
    found = tg_path_walk(&sources, query->leaf, tg_attempt, evaluation, &end);
    if (found == 0 && evaluation->path != NULL) {
        explain_end(evaluation, &end);
        explain_missing(evaluation, &sources);
    }
    X509_free(end.unfit);
    X509_free(end.rejected);
    X509_STORE_CTX_free(sources.system);
    return found >= 0 && evaluation->path != NULL && !evaluation->findings.failed;
}

static int check_path_or_size(struct tg_evaluation *evaluation)
{
    int sent = sk_X509_num(evaluation->query->sent);
    struct tg_buf text = {0};

    if (sent <= TG_PATH_MAX_SENT)
        return find_path(evaluation);
    tg_buf_printf(&text, "the server sent %d certificates, more than the %d that are considered",
                  sent, TG_PATH_MAX_SENT);
    tg_findings_add(&evaluation->findings, TG_PATH_TOO_LONG, 0, 0, &text);
    return !evaluation->findings.failed;
}

static int check_leaf_pins(struct tg_evaluation *evaluation)
{
    const struct tg_digests *pins = &evaluation->rule->leaf_pins;
    uint8_t digest[TG_SHA256_SIZE];
    struct tg_buf text = {0};
    char pin[52];

    if (pins->count == 0 || !evaluation->pins_enforced)
        return 1;
    if (!tg_hash_spki(evaluation->query->leaf, digest))
        return 0;
    if (tg_digests_have(pins, digest))
        return 1;
    tg_pin_text(digest, pin);
    tg_buf_printf(&text, "the certificate's key is %s, which is not pinned", pin);
    tg_findings_add(&evaluation->findings, TG_LEAF_PIN_MISMATCH, 0, 0, &text);
    return 1;
}

static void reject(struct tg_evaluation *evaluation, const struct tg_match *match)
{
    const char *why = evaluation->query->unknown;
    bool unknown = match->kind == TG_MATCH_UNKNOWN;
    struct tg_buf text = {0};

    if (!unknown)
        tg_buf_add(&text, "the policy rejects this host");
    else if (why != NULL && strcmp(match->lacking, "program") != 0)
        tg_buf_printf(&text, "which rule applies depends on the %s, which is not known: %s",
                      match->lacking, why);
    else
        tg_buf_printf(&text, "which rule applies depends on the %s, which is not known here",
                      match->lacking);
    tg_findings_add(&evaluation->findings, unknown ? TG_HOST_UNKNOWN : TG_HOST_REJECTED, 0, 0,
                    &text);
}

/* Runs all checks in the order of the manual; 0 only when memory ran out. */
static int check_all(struct tg_evaluation *evaluation, const struct tg_match *match, bool *trusted)
{
    struct tg_buf none = {0};

    *trusted = false;
    if (match->kind == TG_MATCH_UNKNOWN || evaluation->rule->action == TG_ACTION_REJECT) {
        reject(evaluation, match);
        return 1;
    }
    if (evaluation->query->leaf == NULL) {
        tg_buf_add(&none, "the server presented no certificate");
        tg_findings_add(&evaluation->findings, TG_MALFORMED, 0, 0, &none);
        return 1;
    }
    if (!begin(evaluation) || !trust_certificate(evaluation, trusted))
        return 0;
    if (*trusted)
        return 1;
    if (!tg_known_meet(evaluation) || !check_path_or_size(evaluation))
        return 0;
    tg_known_check_host(evaluation);
    tg_reference_check(evaluation);
    tg_floor_check(evaluation);
    return tg_staple_check(evaluation) && check_leaf_pins(evaluation);
}

/* The exception must forgive all that is left; then its user has spoken: proceed. */
static tg_result result_of(const struct tg_evaluation *evaluation, bool trusted)
{
    uint64_t kinds = tg_findings_kinds(&evaluation->findings);

    if (kinds == 0)
        return trusted ? TG_RESULT_PROCEED : TG_RESULT_UNSPECIFIED;
    if ((kinds & ~evaluation->forgiven) == 0)
        return TG_RESULT_PROCEED;
    return tg_findings_result(&evaluation->findings);
}

static void narrow(struct tg_verdict *verdict, time_t until)
{
    if (until != 0 && (verdict->valid_until == 0 || until < verdict->valid_until))
        verdict->valid_until = until;
}

/* A new CRL may say otherwise: until the first of the rule's begins or ends. */
static void narrow_to_crls(struct tg_verdict *verdict, const struct tg_evaluation *evaluation)
{
    const struct tg_moments *moments = evaluation->rule->crl_moments;
    size_t first = 0, end = moments != NULL ? moments->count : 0;

    while (first < end) {
        size_t middle = first + (end - first) / 2;

        if (moments->moment[middle] > evaluation->now)
            end = middle;
        else
            first = middle + 1;
    }
    if (moments != NULL && first < moments->count)
        narrow(verdict, moments->moment[first]);
}

/* How long an acceptance holds: until a certificate, a CRL, the pins or the exception end. */
static void set_window(struct tg_verdict *verdict, const struct tg_evaluation *evaluation,
                       bool trusted)
{
    const struct tg_rule *rule = evaluation->rule;
    time_t from, until;

    if (evaluation->pins_enforced)
        narrow(verdict, rule->pins_expire);
    if (verdict->finding_count > 0)
        narrow(verdict, evaluation->forgiven_until);
    narrow(verdict, evaluation->staple_until);
    narrow_to_crls(verdict, evaluation);
    if (trusted || rule->verify_time != 0 || rule->skip_dates)
        return;
    for (int i = 0; i < sk_X509_num(verdict->path); i++) {
        const X509 *certificate = sk_X509_value(verdict->path, i);

        if (!tg_moment_read(X509_get0_notBefore(certificate), &from) ||
            !tg_moment_read(X509_get0_notAfter(certificate), &until) || from > evaluation->now ||
            until <= evaluation->now) {
            verdict->valid_until = 1; /* forgiven or odd dates: not to be remembered */
            return;
        }
        narrow(verdict, until);
        if (from > verdict->valid_from)
            verdict->valid_from = from;
    }
}

static bool add_note(struct tg_verdict *verdict, const struct tg_evaluation *evaluation)
{
    const struct tg_rule *rule = evaluation->rule;
    struct tg_buf note = {0};

    if (rule->pins_expire != 0 && !evaluation->pins_enforced)
        tg_buf_add(&note, "the rule's pins have expired and are not enforced");
    if (verdict->accepted && verdict->finding_count > 0)
        tg_buf_printf(&note, "%sforgiven by an exception", note.length > 0 ? "; " : "");
    if (note.length == 0 && !note.failed)
        return true;
    verdict->note = tg_buf_take(&note);
    return verdict->note != NULL;
}

struct tg_verdict *tg_evaluate(const tg_policy *policy, const struct tg_match *match,
                               const struct tg_query *query)
{
    struct tg_evaluation evaluation = {.policy = policy, .rule = match->rule, .query = query};
    struct tg_verdict *verdict = NULL;
    bool trusted = false;

    ERR_set_mark();
    if (check_all(&evaluation, match, &trusted))
        verdict = tg_verdict_new(policy, result_of(&evaluation, trusted), &evaluation.findings,
                                 &evaluation.path);
    if (verdict != NULL) {
        verdict->rule = match->rule;
        verdict->pattern = match->pattern;
        verdict->reported = match->rule->mode == TG_MODE_REPORT;
        verdict->leaf_digested = evaluation.leaf_digested;
        memcpy(verdict->leaf_digest, evaluation.leaf_digest, TG_SHA256_SIZE);
        set_window(verdict, &evaluation, trusted);
        if (!add_note(verdict, &evaluation)) {
            tg_verdict_free(verdict);
            verdict = NULL;
        }
    }
    ERR_pop_to_mark();
    tg_findings_clear(&evaluation.findings);
    tg_buf_free(&evaluation.acquaintance.problem);
    sk_X509_pop_free(evaluation.path, X509_free);
    return verdict;
}
