#include "evaluate.h"
#include "discovery.h"
#include "distrust.h"
#include "evaluation.h"
#include "floor.h"
#include "knownhosts.h"
#include "missed.h"
#include "pinning.h"
#include "reference.h"
#include "staple.h"
#include "validity.h"
#include <openssl/err.h>
#include <string.h>

/* TN2232, "Trusting One Specific Certificate": an identity token, whatever it says. */
static bool trust_certificate(struct tg_evaluation *evaluation, bool *trusted)
{
    struct tg_sources sources;
    bool looked;

    *trusted = false;
    if (!tg_digests_have(&evaluation->rule->trusted_leaves, evaluation->leaf_digest))
        return true;
    looked = tg_sources_open(&sources, evaluation) &&
             tg_distrust_leaf(evaluation->policy, &sources, evaluation->query->leaf,
                              &evaluation->findings);
    tg_sources_close(&sources);
    if (!looked)
        return false;
    evaluation->path = sk_X509_new_null();
    if (evaluation->path == NULL || !sk_X509_push(evaluation->path, evaluation->query->leaf))
        return false;
    X509_up_ref(evaluation->query->leaf);
    *trusted = true;
    return true;
}

static void reject(struct tg_evaluation *evaluation, const struct tg_match *match)
{
    const char *why = evaluation->query->unknown;
    bool unknown = match->kind == TG_MATCH_UNKNOWN;
    struct tg_buf text = {0};

    if (match->rule->problem != NULL) {
        tg_buf_add(&text, match->rule->problem);
        tg_findings_add(&evaluation->findings, TG_POLICY_INVALID, 0, 0, &text);
        return;
    }
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

/* What is checked of a server that sent a certificate. False only when memory ran out. */
static bool check_server(struct tg_evaluation *evaluation, bool *trusted)
{
    struct tg_known_file *known_hosts = evaluation->rule->known_hosts;

    if (!tg_evaluation_begin(evaluation) || !trust_certificate(evaluation, trusted))
        return false;
    if (*trusted)
        return true;
    if (known_hosts != NULL && evaluation->pins_enforced &&
        !tg_known_lookup(known_hosts, evaluation->query, &evaluation->known_host))
        return false;
    if (!tg_discover(evaluation))
        return false;
    tg_known_check_host(&evaluation->known_host, evaluation->query, &evaluation->findings);
    tg_reference_check(evaluation);
    tg_floor_check(evaluation);
    return tg_staple_check(evaluation) && tg_pinning_check_leaf(evaluation);
}

/* Runs all checks in the order of trustgraft.conf(5); false only when memory ran out. */
static bool check_all(struct tg_evaluation *evaluation, const struct tg_match *match, bool *trusted)
{
    struct tg_buf text = {0};

    *trusted = false;
    if (match->kind == TG_MATCH_UNKNOWN || evaluation->rule->action == TG_ACTION_REJECT) {
        reject(evaluation, match);
        return true;
    }
    if (evaluation->query->leaf != NULL)
        return check_server(evaluation, trusted);
    tg_buf_add(&text, "the server presented no certificate");
    tg_findings_add(&evaluation->findings, TG_MALFORMED, 0, 0, &text);
    return true;
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

/* Takes over what EVALUATION found. NULL without memory. */
static struct tg_verdict *conclude(struct tg_evaluation *evaluation, const struct tg_match *match,
                                   bool trusted)
{
    struct tg_verdict *verdict = tg_verdict_new(evaluation->policy, result_of(evaluation, trusted),
                                                &evaluation->findings, &evaluation->path);

    if (verdict == NULL)
        return NULL;
    verdict->rule = match->rule;
    verdict->pattern = match->pattern;
    verdict->reported = match->rule->mode == TG_MODE_REPORT;
    verdict->leaf_digested = evaluation->leaf_digested;
    memcpy(verdict->leaf_digest, evaluation->leaf_digest, TG_SHA256_SIZE);
    tg_validity_set(verdict, evaluation, trusted);
    if (add_note(verdict, evaluation))
        return verdict;
    tg_verdict_free(verdict);
    return NULL;
}

struct tg_verdict *tg_evaluate(const tg_policy *policy, const struct tg_match *match,
                               const struct tg_query *query)
{
    struct tg_evaluation evaluation = {.policy = policy, .rule = match->rule, .query = query};
    struct tg_verdict *verdict = NULL;
    bool trusted;

    ERR_set_mark();
    (void)tg_missed_take();
    if (check_all(&evaluation, match, &trusted) && !tg_missed_take())
        verdict = conclude(&evaluation, match, trusted);
    ERR_pop_to_mark();
    tg_evaluation_clear(&evaluation);
    return verdict;
}
