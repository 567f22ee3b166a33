#include "../unit/hold.h"
#include "corpora.h"
#include "evaluate.h"
#include "verdict.h"

static enum tg_revocation revocation(unsigned long flags)
{
    if (flags & X509_V_FLAG_CRL_CHECK_ALL)
        return TG_REVOCATION_CRL_CHAIN;
    return flags & X509_V_FLAG_CRL_CHECK ? TG_REVOCATION_CRL : TG_REVOCATION_NONE;
}

struct tg_verdict *engine_verdict(const struct question *question)
{
    struct tg_holding *anchors = hold(question->trusted);
    const struct tg_rule rule = {
        .anchors = anchors,
        .anchors_only = true,
        .skip_hostname = question->host == NULL && question->ip == NULL,
        .verify_time = question->time,
        .skip_dates = question->flags & X509_V_FLAG_NO_CHECK_TIME,
        .purpose = question->any_purpose ? TG_PURPOSE_ANY : TG_PURPOSE_TLS_SERVER,
        .strict = question->flags & X509_V_FLAG_X509_STRICT,
        .revocation = revocation(question->flags),
        .crls = question->crls,
    };
    const struct tg_match match = {.kind = TG_MATCH_RULE, .rule = &rule, .pattern = "*"};
    const struct tg_query query = {
        .host = question->ip != NULL ? question->ip : question->host,
        .leaf = question->leaf,
        .sent = question->untrusted,
        .now = question->time,
        .security_level = question->level,
    };
    struct tg_verdict *verdict;

    verdict = tg_evaluate(NULL, &match, &query);
    tg_holding_free(anchors);
    return verdict;
}
