/* policy.c - a policy from its first byte to its last reference. */
#include "policy.h"
#include "holding.h"
#include "index.h"
#include "known.h"
#include <stdlib.h>

tg_policy *tg_policy_new(void)
{
    static _Atomic uint64_t generations;
    tg_policy *policy = calloc(1, sizeof(*policy));

    if (policy == NULL)
        return NULL;
    atomic_init(&policy->references, 1);
    policy->reload = true;
    policy->lazy_anchors = true;
    policy->generation = atomic_fetch_add_explicit(&generations, 1, memory_order_relaxed) + 1;
    policy->arena = tg_arena_new();
    policy->index = policy->arena != NULL ? tg_index_new(policy->arena) : NULL;
    if (policy->index != NULL)
        return policy;
    tg_policy_free(policy);
    return NULL;
}

tg_policy *tg_policy_ref(const tg_policy *policy)
{
    tg_policy *shared = (tg_policy *)policy; /* the count is no part of what is immutable */

    atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

void tg_policy_free(tg_policy *policy)
{
    if (policy == NULL ||
        atomic_fetch_sub_explicit(&policy->references, 1, memory_order_acq_rel) > 1)
        return;
    if (policy->index != NULL && policy->index->supply != NULL)
        policy->index->supply->free(policy->index->supply);
    for (size_t i = 0; i < policy->holding_count; i++)
        tg_holding_free(policy->holdings[i]);
    for (struct tg_crl_list *list = policy->crl_lists; list != NULL; list = list->next)
        sk_X509_CRL_pop_free(list->crls, X509_CRL_free);
    for (struct tg_signer *signer = policy->distrusted_signers; signer != NULL;
         signer = signer->next)
        EVP_PKEY_free(signer->key);
    tg_known_files_free(policy->known_files);
    tg_arena_free(policy->arena);
    free(policy);
}
