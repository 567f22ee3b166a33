#include "cache.h"
#include "hook.h"
#include <stdio.h>
#include <string.h>

static const char *known(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

/* The peer's port is only looked for where a rule depends on it and libssl can't tell it. */
static struct tg_match find(const tg_policy *policy, struct tg_peer *peer)
{
    const char *program = known(tg_process_program());
    struct tg_match match = tg_policy_match(policy, known(peer->host), peer->port, program);

    if (match.kind != TG_MATCH_UNKNOWN || peer->port != 0)
        return match;
    tg_peer_guess(peer, TG_GUESS_MATTERS);
    return tg_policy_match(policy, known(peer->host), peer->port, program);
}

static bool leaves(const struct tg_match *match)
{
    return match->rule == NULL ||
           (match->kind == TG_MATCH_RULE && match->rule->action == TG_ACTION_PASS);
}

const struct tg_rule *tg_judge_rule(const struct tg_process *process, struct tg_peer *peer)
{
    struct tg_match match;

    if (process->policy == NULL)
        return NULL;
    match = find(process->policy, peer);
    return leaves(&match) ? NULL : match.rule;
}

bool tg_judge_distrusts(const tg_policy *policy)
{
    return policy != NULL &&
           (policy->distrusted_certificates.count > 0 || policy->distrusted_keys.count > 0);
}

bool tg_judge_demands(const struct tg_process *process, struct tg_peer *peer)
{
    const struct tg_rule *rule = tg_judge_rule(process, peer);
    const tg_policy *policy = process->policy;

    if (process->problem != NULL || (rule != NULL && rule->mode == TG_MODE_ENFORCE))
        return true;
    return tg_judge_distrusts(policy) && policy->mode == TG_MODE_ENFORCE;
}

static struct tg_judgement judge(const tg_policy *policy, struct tg_peer *peer,
                                 struct tg_query *query)
{
    struct tg_judgement judgement = {.leave = false};
    struct tg_match match = find(policy, peer);

    query->host = known(peer->host);
    query->port = peer->port;
    query->program = known(tg_process_program());
    judgement.leave = leaves(&match);
    if (judgement.leave)
        return judgement;
    judgement.verdict = tg_evaluate_cached(policy, &match, query);
    judgement.leave = match.rule->mode == TG_MODE_REPORT;
    return judgement;
}

struct tg_judgement tg_judge(const struct tg_process *process, const tg_policy *policy,
                             struct tg_peer *peer, struct tg_query *query)
{
    struct tg_judgement judgement = {.leave = process->problem == NULL};

    if (policy == NULL) {
        if (!judgement.leave)
            judgement.verdict = tg_verdict_refuse(TG_POLICY_INVALID, process->problem);
        return judgement;
    }
    judgement = judge(policy, peer, query);
    if (judgement.verdict == NULL || judgement.verdict->accepted || peer->port != 0)
        return judgement;
    /* An exception may depend on the port, and whoever reads the log wants to know it. */
    tg_peer_guess(peer, TG_GUESS_MATTERS);
    if (peer->port == 0)
        return judgement;
    tg_verdict_free(judgement.verdict);
    return judge(policy, peer, query);
}

void tg_judge_log(const struct tg_process *process, const struct tg_verdict *verdict,
                  const struct tg_peer *peer)
{
    struct tg_peer shown = *peer;

    if (!tg_log_wants(process, verdict))
        return;
    if (shown.port == 0)
        tg_peer_guess(&shown, TG_GUESS_SHOWN);
    tg_log_verdict(process, verdict, known(shown.host), shown.port);
}

struct tg_verdict *tg_judge_distrust(const struct tg_process *process, const tg_policy *policy,
                                     const struct tg_peer *peer, const struct tg_query *query,
                                     const struct tg_own_path *theirs, bool *refuse)
{
    struct tg_verdict *verdict = NULL;
    STACK_OF(X509) *path = NULL;
    bool failed = false;

    *refuse = false;
    if (query->leaf == NULL || !tg_judge_distrusts(policy))
        return NULL;
    if (theirs->path != NULL)
        path = tg_border_import_all(theirs->library, theirs->path);
    verdict = tg_check_distrust(policy, query,
                                &(struct tg_app_path){path, path != NULL && theirs->good}, &failed);
    if (verdict != NULL)
        tg_judge_log(process, verdict, peer);
    *refuse = failed || ((verdict != NULL || (theirs->path != NULL && path == NULL)) &&
                         policy->mode == TG_MODE_ENFORCE);
    sk_X509_pop_free(path, X509_free);
    return verdict;
}
