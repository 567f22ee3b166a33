#include "prepare.h"
#include "judge.h"
#include "level.h"
#include "wire.h"

/* What the rules of a connection ask of it. */
struct wishes {
    const struct tg_rule *last;
    unsigned rules; /* different ones */
    bool staple, enforced;
    int level; /* -1: none */
};

static void wish(void *arg, const struct tg_rule *rule)
{
    struct wishes *wishes = arg;

    if (rule == wishes->last)
        return;
    wishes->last = rule;
    wishes->rules++;
    if (tg_status_wanted(rule)) {
        wishes->staple = true;
        wishes->enforced = wishes->enforced || rule->mode == TG_MODE_ENFORCE;
    }
    if (rule->mode == TG_MODE_ENFORCE && rule->set & TG_KEY_BIT(TG_KEY_SECURITY_LEVEL))
        wishes->level = (int)rule->security_level;
}

bool tg_prepare(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state,
                const struct tg_policies *policies, struct tg_peer *peer,
                int (*staple)(SSL *, void *))
{
    struct wishes wishes = {.level = -1};
    bool demands = false;

    if (state != NULL)
        tg_level_return(hooked, ssl, state);
    for (size_t i = 0; i < policies->count; i++) {
        const struct tg_process *process = &policies->each[i];

        /* To ask for a staple harms nobody: it is done too where only the end tells the rule. */
        if (!tg_judge_rules(process, peer, wish, &wishes) && process->policy->staples)
            wishes.staple = wishes.enforced = true;
        demands = demands || tg_judge_demands(process, peer);
    }
    if (wishes.staple)
        tg_status_request(hooked, ssl, wishes.enforced ? staple : NULL);
    if (wishes.level >= 0 && wishes.rules == 1)
        tg_level_lend(hooked, ssl, state, wishes.level);
    if (state != NULL)
        tg_wire_watch(hooked, ssl, state, demands);
    return demands;
}
