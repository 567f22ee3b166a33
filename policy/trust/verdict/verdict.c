#include "verdict.h"
#include "findings.h"
#include "text.h"
#include <stdatomic.h>
#include <stdlib.h>

struct tg_verdict *tg_verdict_new(const tg_policy *policy, tg_result result,
                                  struct tg_findings *findings, STACK_OF(X509) **path)
{
    struct tg_verdict *verdict = findings->failed ? NULL : calloc(1, sizeof(*verdict));

    if (verdict == NULL)
        return NULL;
    tg_findings_sort(findings);
    verdict->references = 1;
    verdict->policy = policy != NULL ? tg_policy_ref(policy) : NULL;
    verdict->result = result;
    verdict->accepted = tg_result_accepts(result);
    verdict->x509_error = verdict->accepted ? X509_V_OK : tg_findings_x509(findings);
    verdict->findings = findings->item;
    verdict->finding_count = findings->count;
    *findings = (struct tg_findings){0};
    if (path != NULL) {
        verdict->path = *path;
        *path = NULL;
    }
    return verdict;
}

struct tg_verdict *tg_verdict_refuse(enum tg_finding_kind kind, const char *text)
{
    struct tg_findings findings = {0};
    struct tg_buf copy = {0};
    struct tg_verdict *verdict = NULL;

    tg_buf_add(&copy, text);
    tg_findings_add(&findings, kind, 0, 0, &copy);
    verdict = tg_verdict_new(NULL, tg_finding_info(kind)->result, &findings, NULL);
    tg_findings_clear(&findings);
    return verdict;
}

struct tg_verdict *tg_verdict_ref(struct tg_verdict *verdict)
{
    atomic_fetch_add_explicit(&verdict->references, 1, memory_order_relaxed);
    return verdict;
}

void tg_verdict_free(struct tg_verdict *verdict)
{
    struct tg_findings findings;

    if (verdict == NULL ||
        atomic_fetch_sub_explicit(&verdict->references, 1, memory_order_acq_rel) > 1)
        return;
    findings = (struct tg_findings){.item = verdict->findings, .count = verdict->finding_count};
    tg_findings_clear(&findings);
    sk_X509_pop_free(verdict->path, X509_free);
    free(verdict->note);
    tg_policy_free((tg_policy *)verdict->policy);
    free(verdict);
}
