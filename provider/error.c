#include "error.h"
#include <stdarg.h>

/* The sentence of each reason, as OpenSSL wants them: to the end that is marked by 0. */
static const OSSL_ITEM reasons[] = {
    {TG_REASON_INJECT, "this OpenSSL can't be put under a policy"},
    {TG_REASON_URI, "not of the form trustgraft:HOST or trustgraft:HOST:PORT"},
    {TG_REASON_NO_POLICY, "there is no policy"},
    {TG_REASON_POLICY_INVALID, "the policy is invalid"},
    {TG_REASON_NO_RULE, "no rule of the policy applies to the host"},
    {TG_REASON_AMBIGUOUS, "which rule applies depends on the port: write trustgraft:HOST:PORT"},
    {TG_REASON_ACTION, "the rule for the host evaluates nothing: it is pass or reject"},
    {TG_REASON_NO_ANCHORS, "the rule for the host names no anchors"},
    {TG_REASON_MEMORY, "no memory"},
    {0, NULL},
};
_Static_assert(sizeof(reasons) / sizeof(reasons[0]) == TG_REASON_MEMORY + 1, "a sentence for each");

void tg_provider_error(const struct tg_provider *provider, enum tg_reason reason,
                       const char *format, ...)
{
    va_list args;

    if (provider->new_error == NULL || provider->vset_error == NULL)
        return;
    va_start(args, format);
    provider->new_error(provider->core);
    provider->vset_error(provider->core, (uint32_t)reason, format, args);
    va_end(args);
}

const OSSL_ITEM *tg_provider_reasons(void *provctx)
{
    (void)provctx;
    return reasons;
}
