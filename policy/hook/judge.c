#include "judge.h"
#include "cache.h"
#include "convert.h"
#include "distrust.h"
#include "match.h"
#include "reason.h"
#include <stdio.h>
#include <string.h>

static const char *known(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static bool leaves(const tg_policy *policy, const struct tg_match *match)
{
    if (match->kind == TG_MATCH_UNKNOWN && policy->unknown_host_app)
        return true;
    return match->rule == NULL ||
           (match->kind == TG_MATCH_RULE && match->rule->action == TG_ACTION_PASS);
}

bool tg_judge_rules(const struct tg_process *process, struct tg_peer *peer, tg_rule_visit *visit,
                    void *arg)
{
    bool told = true;

    if (process->policy == NULL)
        return true;
    tg_peer_match(peer, process->policy);
    for (unsigned i = 0; i < peer->count; i++) {
        const struct tg_match *match = &peer->candidates[i].match;

        if (match->kind == TG_MATCH_UNKNOWN)
            told = false;
        else if (!leaves(process->policy, match))
            visit(arg, match->rule);
    }
    return told;
}

bool tg_judge_distrusts(const tg_policy *policy)
{
    return policy != NULL &&
           (policy->distrusted_certificates.count > 0 || policy->distrusted_keys.count > 0);
}

bool tg_judge_demands(const struct tg_process *process, struct tg_peer *peer)
{
    const tg_policy *policy = process->policy;

    if (process->problem != NULL)
        return true;
    if (policy != NULL)
        tg_peer_match(peer, policy);
    for (unsigned i = 0; policy != NULL && i < peer->count; i++) {
        const struct tg_match *match = &peer->candidates[i].match;

        if (!leaves(policy, match) && match->rule->mode == TG_MODE_ENFORCE)
            return true;
    }
    return tg_judge_distrusts(policy) && policy->mode == TG_MODE_ENFORCE;
}

/* The rules of all candidates, of each place for itself. */
struct demands {
    const struct tg_process *process;
    const tg_policy *policy;
    struct tg_peer *peer;
    struct tg_query *query;
    struct tg_judgement judgement; /* of those that were seen */
    const char *host;              /* and that it names */
    unsigned port, shown;
};

static const struct tg_match *match_of(const struct demands *demands, unsigned i)
{
    return &demands->peer->candidates[i].match;
}

static bool is_unknown(const struct demands *demands)
{
    for (unsigned i = 0; i < demands->peer->count; i++)
        if (match_of(demands, i)->kind == TG_MATCH_UNKNOWN)
            return true;
    return false;
}

/* By the rule of candidate RULE, the certificate being for candidate I. */
static struct tg_verdict *evaluate(const struct demands *demands, unsigned rule, unsigned i)
{
    const struct tg_candidate *who = &demands->peer->candidates[i];
    const struct tg_match *match = match_of(demands, rule);
    struct tg_verdict *verdict;

    demands->query->host = known(who->host);
    demands->query->port = who->port;
    verdict = tg_evaluate_cached(demands->policy, match, demands->query);
    tg_log_known_hosts(demands->process, match->rule);
    return verdict;
}

static bool same_rule(const struct demands *demands, unsigned i, unsigned j)
{
    return demands->peer->candidates[i].end == demands->peer->candidates[j].end &&
           match_of(demands, i)->kind == match_of(demands, j)->kind &&
           match_of(demands, i)->rule == match_of(demands, j)->rule;
}

static bool seen_before(const struct demands *demands, unsigned i)
{
    for (unsigned j = 0; j < i; j++)
        if (same_rule(demands, j, i))
            return true;
    return false;
}

/* The pattern `*` fits the other names of the place too, though they have rules of their own. */
static bool is_for(const struct demands *demands, unsigned rule, unsigned i)
{
    const struct tg_candidate *all = demands->peer->candidates;
    const char *pattern = match_of(demands, rule)->pattern;

    return same_rule(demands, rule, i) ||
           (all[rule].end == all[i].end && pattern != NULL && pattern[0] == '*' &&
            pattern[1] != '.' && match_of(demands, rule)->kind == TG_MATCH_RULE);
}

/* A rule is fulfilled at a place if the certificate is for one of the names that it fits. */
static struct tg_verdict *fulfil(const struct demands *demands, unsigned first, unsigned *which)
{
    struct tg_verdict *verdict = evaluate(demands, first, first), *other = NULL;

    *which = first;
    for (unsigned i = 0; i < demands->peer->count; i++) {
        if (verdict == NULL || verdict->accepted)
            break;
        if (i == first || !is_for(demands, first, i))
            continue;
        other = evaluate(demands, first, i);
        if (other != NULL && !other->accepted) {
            tg_verdict_free(other);
            continue;
        }
        tg_verdict_free(verdict);
        verdict = other;
        *which = i;
    }
    return verdict;
}

/* What stands in the way of going on counts before what doesn't, and of both what came first. */
static unsigned weight(const struct tg_verdict *verdict)
{
    return verdict->reported ? 0 : verdict->accepted ? 1 : 2;
}

/* One that isn't the verdict is told of where it is only reported. */
static void drop(const struct demands *demands, struct tg_verdict *verdict, unsigned which)
{
    if (verdict != NULL && verdict->reported) {
        demands->peer->shown = which;
        tg_judge_log(demands->process, verdict, demands->peer);
    }
    tg_verdict_free(verdict);
}

/* False: there is no need to see more. */
static bool take(struct demands *demands, struct tg_verdict *verdict, unsigned which)
{
    struct tg_judgement *so_far = &demands->judgement;

    if (verdict == NULL) {
        tg_verdict_free(so_far->verdict);
        so_far->verdict = NULL;
        return false;
    }
    if (so_far->verdict != NULL && weight(so_far->verdict) >= weight(verdict)) {
        drop(demands, verdict, which);
        return true;
    }
    drop(demands, so_far->verdict, demands->shown);
    so_far->verdict = verdict;
    demands->host = demands->query->host;
    demands->port = demands->query->port;
    demands->shown = which;
    return weight(verdict) < 2;
}

static bool leaves_place(const struct demands *demands, unsigned end)
{
    for (unsigned i = 0; i < demands->peer->count; i++)
        if (demands->peer->candidates[i].end == end &&
            !leaves(demands->policy, match_of(demands, i)))
            return false;
    return true;
}

/* Every rule has to be fulfilled; and where one place has none, the application decides there. */
static void judge(struct demands *demands)
{
    const struct tg_peer *peer = demands->peer;
    bool leave = false;

    for (unsigned i = 0; i < peer->count; i++) {
        struct tg_verdict *verdict = NULL;
        unsigned which;

        leave = leave || leaves_place(demands, peer->candidates[i].end);
        if (leaves(demands->policy, match_of(demands, i)) || seen_before(demands, i))
            continue;
        verdict = fulfil(demands, i, &which);
        if (!take(demands, verdict, which)) {
            demands->judgement.leave = false;
            return;
        }
    }
    demands->judgement.leave =
        leave || demands->judgement.verdict == NULL || demands->judgement.verdict->reported;
}

static bool is_refused(const struct tg_judgement *judgement)
{
    return judgement->verdict != NULL && !judgement->verdict->accepted;
}

struct tg_judgement tg_judge(const struct tg_process *process, const tg_policy *policy,
                             struct tg_peer *peer, struct tg_query *query)
{
    struct demands demands = {.process = process, .policy = policy, .peer = peer, .query = query};

    if (policy == NULL) {
        demands.judgement.leave = process->problem == NULL;
        if (!demands.judgement.leave)
            demands.judgement.verdict = tg_verdict_refuse(TG_POLICY_INVALID, process->problem);
        return demands.judgement;
    }
    tg_peer_match(peer, policy);
    if (is_unknown(&demands) && tg_peer_search(peer))
        tg_peer_match(peer, policy);
    query->program = known(tg_process_program());
    query->unknown = peer->unknown;
    judge(&demands);
    /* An exception may depend on the port, and whoever reads the log wants to know it. */
    if (is_refused(&demands.judgement) && tg_peer_search(peer)) {
        tg_verdict_free(demands.judgement.verdict);
        demands.judgement = (struct tg_judgement){.leave = false};
        tg_peer_match(peer, policy);
        judge(&demands);
    }
    query->host = demands.judgement.verdict != NULL ? demands.host : tg_peer_host(peer);
    query->port = demands.judgement.verdict != NULL ? demands.port : tg_peer_port(peer);
    peer->shown = demands.shown;
    return demands.judgement;
}

void tg_judge_log(const struct tg_process *process, const struct tg_verdict *verdict,
                  const struct tg_peer *peer)
{
    if (!verdict->accepted && !verdict->reported)
        tg_reason_refuse(verdict);
    if (tg_log_wants(process, verdict))
        tg_log_verdict(process, verdict, tg_peer_host(peer), tg_peer_shown_port(peer));
}

struct tg_verdict *tg_judge_distrust(const struct tg_process *process, const tg_policy *policy,
                                     const struct tg_peer *peer, const struct tg_query *query,
                                     const struct tg_own_path *theirs, bool *refuse)
{
    struct tg_verdict *verdict = NULL;
    STACK_OF(X509) *path = NULL;
    bool failed;

    *refuse = false;
    if (query->leaf == NULL || !tg_judge_distrusts(policy))
        return NULL;
    if (theirs->path != NULL)
        path = tg_convert_import_all(theirs->library, theirs->path);
    failed = !tg_distrust_refuse(
        policy, query, &(struct tg_app_path){path, path != NULL && theirs->good}, &verdict);
    if (verdict != NULL)
        tg_judge_log(process, verdict, peer);
    *refuse = failed || ((verdict != NULL || (theirs->path != NULL && path == NULL)) &&
                         policy->mode == TG_MODE_ENFORCE);
    sk_X509_pop_free(path, X509_free);
    return verdict;
}
