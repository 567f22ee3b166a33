#include "attempt.h"
#include "distrust.h"
#include "floor.h"
#include "pinning.h"
#include "reference.h"
#include "verification.h"

/* Each judges the path as it was verified: what one of them finds is no defect of it. */
static bool check_pins(const struct tg_evaluation *evaluation, struct tg_verification *path)
{
    bool proven = tg_verification_proves(path);

    return tg_pinning_check_path(evaluation, path->chain, proven, &path->findings) &&
           tg_known_check_path(&evaluation->known_host, evaluation->query, path->chain, proven,
                               &path->findings);
}

/* Where the path doesn't say who signed its last certificate. */
static bool check_signer(const struct tg_evaluation *evaluation, const STACK_OF(X509) *path,
                         struct tg_findings *findings)
{
    int depth = sk_X509_num(path) - 1;
    struct tg_sources sources;
    bool checked = tg_sources_open(&sources, evaluation) &&
                   tg_distrust_signer(evaluation->policy, &sources, sk_X509_value(path, depth),
                                      depth, findings);

    tg_sources_close(&sources);
    return checked;
}

static bool check(struct tg_evaluation *evaluation, const STACK_OF(X509) *path, bool anchored,
                  struct tg_verification *verified)
{
    struct tg_findings *findings = &verified->findings;

    if (!tg_distrust_path(evaluation->policy, path, findings) ||
        (!(anchored && sk_X509_num(path) > 1) && !check_signer(evaluation, path, findings)) ||
        !tg_verification_run(evaluation, path, anchored, verified))
        return false;
    /* What a CA is constrained to is nobody's word before its certificate is signed. */
    if (!(tg_findings_kinds(findings) & UINT64_C(1) << TG_BAD_SIGNATURE))
        tg_reference_check_path(evaluation, verified->chain, findings);
    tg_floor_check_path(evaluation->rule, verified->chain, findings);
    return check_pins(evaluation, verified) && !findings->failed;
}

enum tg_walk tg_attempt(void *arg, const STACK_OF(X509) *path, bool anchored)
{
    struct tg_evaluation *evaluation = arg;
    struct tg_verification verified = {.anchored = false};
    enum tg_walk found = TG_WALK_FAILED;

    if (check(evaluation, path, anchored, &verified)) {
        found = verified.findings.count == 0 ? TG_WALK_FOUND : TG_WALK_ON;
        tg_evaluation_offer(evaluation, &verified.findings, &verified.chain);
    }
    tg_verification_clear(&verified);
    return found;
}
