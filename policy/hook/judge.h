/*
 * judge.h - from a peer and a policy to a verdict. A query is judged by tg_judge alone, so that
 * every way to a verdict is the same; where memory or knowledge is lacking, it is a refusal.
 */
#ifndef TG_JUDGE_H
#define TG_JUDGE_H

#include "peer.h"
#include "process.h"
#include "query.h"
#include "verdict.h"

/*
 * What is to happen with a peer: a rule that the hook must carry out, nothing (the policy
 * leaves it to the application), or a refusal known without an evaluation.
 */
struct tg_judgement {
    bool leave;                 /* to the application; verdict is NULL or only for the log */
    struct tg_verdict *verdict; /* owned; NULL with leave false: refuse, memory ran out */
};
struct tg_judgement tg_judge(const struct tg_process *process, const tg_policy *policy,
                             struct tg_peer *peer, struct tg_query *query);

/* What the application's own verification came to, in a library of its own. */
struct tg_own_path {
    const struct tg_cryptolib *library;
    const void *path; /* a stack of theirs; NULL: none is known */
    bool good;        /* it found no fault on it */
};

/*
 * The refusal of a host that the policy leaves to the application, if [distrust] asks for one
 * (tg_distrust_refuse, logged): on THEIRS, and where that found a fault, which the application may
 * forgive, on what it was sent. *REFUSE tells whether it is more than reported; it is set without
 * a verdict where memory ran out, or their path can't be read.
 */
TG_MUST_USE struct tg_verdict *tg_judge_distrust(const struct tg_process *process,
                                                 const tg_policy *policy,
                                                 const struct tg_peer *peer,
                                                 const struct tg_query *query,
                                                 const struct tg_own_path *theirs, bool *refuse);

/* Logs VERDICT about PEER, as the policy says; the port too, where it can be known. */
void tg_judge_log(const struct tg_process *process, const struct tg_verdict *verdict,
                  const struct tg_peer *peer);

/* True if POLICY (may be NULL) has something in [distrust]. */
bool tg_judge_distrusts(const tg_policy *policy);

/* True if the policy wants PEER evaluated or refused, and not merely reported. */
bool tg_judge_demands(const struct tg_process *process, struct tg_peer *peer);

/*
 * Calls VISIT with each rule that PEER may be evaluated under, also where that is only reported;
 * false: it can't be told which those are.
 */
typedef void tg_rule_visit(void *arg, const struct tg_rule *rule);
TG_MUST_USE bool tg_judge_rules(const struct tg_process *process, struct tg_peer *peer,
                                tg_rule_visit *visit, void *arg);

#endif
