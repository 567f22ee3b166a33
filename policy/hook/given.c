/* given.c - which context is under which policy, by tg_verify_callback (callback.c). */
#include "given.h"
#include <stdlib.h>

/* One context and its policy. Never freed, but used again once the context is gone. */
struct tg_given {
    SSL_CTX *context;       /* NULL: of none, to be taken; TAKEN: it is being filled */
    tg_policy *policy;      /* a reference; NULL: that of the process */
    tg_info_callback *info; /* the application's own, in whose place the gate stands; or UNMET */
    uint64_t serial;        /* of several of one context, the highest counts */
    struct tg_given *next;
};

static struct tg_given *all;
static uint64_t serials;
#define TAKEN ((SSL_CTX *)&all)

static bool is_of(const struct tg_given *given, const SSL_CTX *context)
{
    return __atomic_load_n(&given->context, __ATOMIC_ACQUIRE) == context;
}

/* The gate was put on the context when another thread filled another one. */
static void unmet(const SSL *ssl, int where, int value)
{
    (void)ssl, (void)where, (void)value;
}
#define UNMET (&unmet)

static tg_info_callback *info_of(const struct tg_given *given)
{
    return __atomic_load_n(&given->info, __ATOMIC_ACQUIRE);
}

/* The one that counts, of those that MET its own callback or of all; NULL: there is none. */
static struct tg_given *find(const SSL_CTX *context, bool met)
{
    struct tg_given *found = NULL;
    uint64_t highest = 0;

    for (struct tg_given *one = __atomic_load_n(&all, __ATOMIC_ACQUIRE); one != NULL;
         one = one->next) {
        uint64_t serial = __atomic_load_n(&one->serial, __ATOMIC_RELAXED);

        if (is_of(one, context) && (!met || info_of(one) != UNMET) &&
            (found == NULL || serial > highest)) {
            found = one;
            highest = serial;
        }
    }
    return found;
}

/* One of the context's with this policy, else one to be filled. NULL: no memory. */
static struct tg_given *take(const SSL_CTX *context, const tg_policy *policy)
{
    struct tg_given *one = NULL;

    for (one = __atomic_load_n(&all, __ATOMIC_ACQUIRE); one != NULL; one = one->next)
        if (is_of(one, context) && one->policy == policy)
            return one;
    for (one = __atomic_load_n(&all, __ATOMIC_ACQUIRE); one != NULL; one = one->next) {
        SSL_CTX *none = NULL;

        if (__atomic_compare_exchange_n(&one->context, &none, TAKEN, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return one;
    }
    one = calloc(1, sizeof(*one));
    if (one == NULL)
        return NULL;
    one->context = TAKEN;
    one->next = __atomic_load_n(&all, __ATOMIC_ACQUIRE);
    while (!__atomic_compare_exchange_n(&all, &one->next, one, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
        continue;
    return one; // cppcheck-suppress memleak ; the list has it
}

struct tg_given *tg_given_put(SSL_CTX *context, const tg_policy *policy)
{
    struct tg_given *before = find(context, false), *one = NULL;

    if (before != NULL && before->policy == policy)
        return before;
    one = take(context, policy);
    if (one == NULL)
        return NULL;
    if (is_of(one, TAKEN)) {
        one->policy = policy != NULL ? tg_policy_ref(policy) : NULL;
        __atomic_store_n(&one->info, UNMET, __ATOMIC_RELEASE);
    }
    if (before != NULL && info_of(before) != UNMET)
        __atomic_store_n(&one->info, info_of(before), __ATOMIC_RELEASE);
    __atomic_store_n(&one->serial, __atomic_add_fetch(&serials, 1, __ATOMIC_RELAXED),
                     __ATOMIC_RELAXED);
    __atomic_store_n(&one->context, context, __ATOMIC_RELEASE);
    return one;
}

void tg_given_set_info(struct tg_given *given, tg_info_callback *info)
{
    __atomic_store_n(&given->info, info, __ATOMIC_RELEASE);
}

void tg_given_forget(const SSL_CTX *context)
{
    for (struct tg_given *one = __atomic_load_n(&all, __ATOMIC_ACQUIRE); one != NULL;
         one = one->next) {
        if (!is_of(one, context))
            continue;
        tg_policy_free(one->policy);
        __atomic_store_n(&one->context, NULL, __ATOMIC_RELEASE);
    }
}

bool tg_given(const SSL_CTX *context, const tg_policy **policy)
{
    const struct tg_given *found = find(context, false);

    if (found != NULL)
        *policy = found->policy;
    return found != NULL;
}

tg_info_callback *tg_given_info(const SSL_CTX *context)
{
    const struct tg_given *found = find(context, true);

    return found != NULL ? info_of(found) : NULL;
}

/* ---- which policies a connection is under --------------------------------------------------- */

void tg_policies_enter(const struct tg_hooked *hooked, const SSL *ssl, struct tg_policies *policies)
{
    const SSL_CTX *context = hooked->libssl.SSL_get_SSL_CTX(ssl);
    const tg_policy *policy = NULL;
    bool given = tg_given(context, &policy);

    policies->count = 0;
    policies->process = tg_process_enter(&policies->cancel);
    if (policy == NULL || !given || tg_context_state_of(hooked, context) != NULL)
        policies->each[policies->count++] = *policies->process;
    if (policy == NULL)
        return;
    policies->each[policies->count] = *policies->process;
    policies->each[policies->count].policy = policy;
    policies->each[policies->count++].problem = NULL;
}

void tg_policies_leave(struct tg_policies *policies)
{
    tg_process_leave(policies->process, policies->cancel);
}
