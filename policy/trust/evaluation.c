#include "evaluation.h"
#include "match.h"
#include <string.h>

X509_STORE_CTX *tg_evaluation_app(const struct tg_evaluation *evaluation)
{
    return evaluation->rule->anchors_only ? NULL : evaluation->query->app;
}

bool tg_evaluation_begin(struct tg_evaluation *evaluation)
{
    const struct tg_query *query = evaluation->query;

    evaluation->now = query->now != 0 ? query->now : time(NULL);
    evaluation->when =
        evaluation->rule->verify_time != 0 ? evaluation->rule->verify_time : evaluation->now;
    evaluation->app_timed =
        tg_evaluation_app(evaluation) != NULL && tg_query_verify_time(query, &evaluation->app_when);
    evaluation->pins_enforced =
        evaluation->rule->pins_expire == 0 || evaluation->now < evaluation->rule->pins_expire;
    if (query->leaf_digest != NULL)
        memcpy(evaluation->leaf_digest, query->leaf_digest, TG_SHA256_SIZE);
    else if (!tg_hash_certificate(query->leaf, evaluation->leaf_digest))
        return false;
    evaluation->leaf_digested = true;
    evaluation->forgiven = query->forgiven;
    if (evaluation->policy != NULL)
        evaluation->forgiven |= tg_policy_forgiven(evaluation->policy, query->host, query->port,
                                                   evaluation->leaf_digest, evaluation->now,
                                                   &evaluation->forgiven_until);
    return true;
}

void tg_evaluation_clear(struct tg_evaluation *evaluation)
{
    tg_findings_clear(&evaluation->findings);
    tg_buf_free(&evaluation->known_host.problem);
    sk_X509_pop_free(evaluation->path, X509_free);
    evaluation->path = NULL;
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

void tg_evaluation_offer(struct tg_evaluation *evaluation, struct tg_findings *findings,
                         STACK_OF(X509) **path)
{
    if (!better(evaluation, findings))
        return;
    tg_findings_clear(&evaluation->findings);
    evaluation->findings = *findings;
    *findings = (struct tg_findings){0};
    sk_X509_pop_free(evaluation->path, X509_free);
    evaluation->path = *path;
    *path = NULL;
}
