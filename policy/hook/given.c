/* given.c - which context is under which policy, by tg_verify_callback (callback.c). */
#include "given.h"
#include <stdatomic.h>
#include <stdlib.h>

/* One context and its policy. Never freed, but used again once the context is gone. */
struct tg_given {
    SSL_CTX *_Atomic context; /* NULL: of none, to be taken; TAKEN: it is being filled */
    tg_policy *policy;        /* a reference; NULL: that of the process */
    tg_info_callback
        *_Atomic info;       /* the application's own, in whose place the gate stands; or UNMET */
    _Atomic uint64_t serial; /* of several of one context, the highest counts */
    struct tg_given *next;
};

static struct tg_given *_Atomic all;
static _Atomic uint64_t serials;
#define TAKEN ((SSL_CTX *)&all)

static bool is_of(const struct tg_given *given, const SSL_CTX *context)
{
    return atomic_load_explicit(&given->context, memory_order_acquire) == context;
}

/* The gate was put on the context when another thread filled another entry for it. */
static void unmet(const SSL *ssl, int where, int value)
{
    (void)ssl, (void)where, (void)value;
}
#define UNMET (&unmet)

static tg_info_callback *info_of(const struct tg_given *given)
{
    return atomic_load_explicit(&given->info, memory_order_acquire);
}

/* The entry that counts, of those that MET the application's callback or of all; NULL: none. */
static struct tg_given *find(const SSL_CTX *context, bool met)
{
    struct tg_given *found = NULL;
    uint64_t highest = 0;

    for (struct tg_given *one = atomic_load_explicit(&all, memory_order_acquire); one != NULL;
         one = one->next) {
        uint64_t serial = atomic_load_explicit(&one->serial, memory_order_relaxed);

        if (is_of(one, context) && (!met || info_of(one) != UNMET) &&
            (found == NULL || serial > highest)) {
            found = one;
            highest = serial;
        }
    }
    return found;
}

/* The context's entry with this policy, else one to be filled. NULL: no memory. */
static struct tg_given *take(const SSL_CTX *context, const tg_policy *policy)
{
    struct tg_given *one = NULL;

    for (one = atomic_load_explicit(&all, memory_order_acquire); one != NULL; one = one->next)
        if (is_of(one, context) && one->policy == policy)
            return one;
    for (one = atomic_load_explicit(&all, memory_order_acquire); one != NULL; one = one->next) {
        SSL_CTX *none = NULL;

        if (atomic_compare_exchange_strong_explicit(&one->context, &none, TAKEN,
                                                    memory_order_acq_rel, memory_order_relaxed))
            return one;
    }
    one = calloc(1, sizeof(*one));
    if (one == NULL)
        return NULL;
    one->context = TAKEN;
    one->next = atomic_load_explicit(&all, memory_order_acquire);
    while (!atomic_compare_exchange_strong_explicit(&all, &one->next, one, memory_order_acq_rel,
                                                    memory_order_acquire))
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
        atomic_store_explicit(&one->info, UNMET, memory_order_release);
    }
    if (before != NULL && info_of(before) != UNMET)
        atomic_store_explicit(&one->info, info_of(before), memory_order_release);
    atomic_store_explicit(&one->serial,
                          atomic_fetch_add_explicit(&serials, 1, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    atomic_store_explicit(&one->context, context, memory_order_release);
    return one;
}

void tg_given_set_info(struct tg_given *given, tg_info_callback *info)
{
    atomic_store_explicit(&given->info, info, memory_order_release);
}

void tg_given_forget(const SSL_CTX *context)
{
    for (struct tg_given *one = atomic_load_explicit(&all, memory_order_acquire); one != NULL;
         one = one->next) {
        if (!is_of(one, context))
            continue;
        tg_policy_free(one->policy);
        atomic_store_explicit(&one->context, NULL, memory_order_release);
    }
}

bool tg_given(const SSL_CTX *context, const tg_policy **policy)
{
    const struct tg_given *found = find(context, false);

    if (found != NULL)
        *policy = found->policy;
    return found != NULL;
}

uint64_t tg_given_serial(const SSL_CTX *context)
{
    const struct tg_given *found = find(context, false);

    return found != NULL ? atomic_load_explicit(&found->serial, memory_order_relaxed) : 0;
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
