/* policy.c - a policy from its first byte to its last reference. */
#include "policy.h"
#include "index.h"
#include "known.h"
#include <stdlib.h>

tg_policy *tg_policy_new(void)
{
    static uint64_t generations;
    tg_policy *policy = calloc(1, sizeof *policy);

    if (!policy)
        return NULL;
    policy->references = 1;
    policy->reload = true;
    policy->generation = __atomic_add_fetch(&generations, 1, __ATOMIC_RELAXED);
    policy->arena = tg_arena_new();
    policy->index = policy->arena ? tg_index_new(policy->arena) : NULL;
    if (policy->index)
        return policy;
    tg_policy_free(policy);
    return NULL;
}

tg_policy *tg_policy_ref(const tg_policy *policy)
{
    tg_policy *shared = (tg_policy *)policy; /* the count is no part of what is immutable */

    __atomic_add_fetch(&shared->references, 1, __ATOMIC_RELAXED);
    return shared;
}

void tg_policy_free(tg_policy *policy)
{
    struct tg_crl_list *list;
    size_t i;

    if (!policy || __atomic_sub_fetch(&policy->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (i = 0; i < policy->stack_count; i++)
        sk_X509_pop_free(policy->stacks[i], X509_free);
    for (list = policy->crl_lists; list; list = list->next)
        sk_X509_CRL_pop_free(list->crls, X509_CRL_free);
    tg_known_files_free(policy->known_files);
    tg_arena_free(policy->arena);
    free(policy);
}
