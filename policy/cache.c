#include "cache.h"
#include "attempt.h"
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 64

static struct slot {
    uint8_t key[TG_SHA256_SIZE];
    struct tg_verdict *verdict;
} slots[SLOTS];

/* Only ever tried: whatever thread held it when a process forked, nobody waits for it. */
static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

/* Length first, so that no two lists of fields give the same bytes. */
static int add(EVP_MD_CTX *context, const void *bytes, size_t size)
{
    return EVP_DigestUpdate(context, &size, sizeof(size)) && EVP_DigestUpdate(context, bytes, size);
}

static int add_certificate(EVP_MD_CTX *context, const X509 *certificate)
{
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der), added = 0;

    if (size > 0)
        added = add(context, der, (size_t)size);
    OPENSSL_free(der);
    return added;
}

/* Everything an evaluation without the application's anchors depends on, but for the time. */
static int add_query(EVP_MD_CTX *context, const tg_policy *policy, const struct tg_match *match,
                     const struct tg_query *query)
{
    const char *host = query->host != NULL ? query->host : "";
    unsigned hostflags =
        query->app != NULL ? X509_VERIFY_PARAM_get_hostflags(X509_STORE_CTX_get0_param(query->app))
                           : 0;

    if (!add(context, &policy, sizeof(policy)) ||
        !add(context, &match->rule, sizeof(match->rule)) ||
        !add(context, &match->pattern, sizeof(match->pattern)) ||
        !add(context, host, strlen(host)) || !add(context, &query->port, sizeof(query->port)) ||
        !add(context, &query->security_level, sizeof(query->security_level)) ||
        !add(context, &query->tls_version, sizeof(query->tls_version)) ||
        !add(context, &hostflags, sizeof(hostflags)) || !add_certificate(context, query->leaf))
        return 0;
    for (int i = 0; i < sk_X509_num(query->sent); i++)
        if (!add_certificate(context, sk_X509_value(query->sent, i)))
            return 0;
    return 1;
}

static int make_key(const tg_policy *policy, const struct tg_match *match,
                    const struct tg_query *query, uint8_t key[TG_SHA256_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int made = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) &&
               add_query(context, policy, match, query) && EVP_DigestFinal_ex(context, key, NULL);

    EVP_MD_CTX_free(context);
    return made;
}

static struct slot *slot_of(const uint8_t key[TG_SHA256_SIZE])
{
    return &slots[key[0] % SLOTS];
}

/* A clock that was set back makes a verdict from the future unusable too. */
static bool holds(const struct tg_verdict *verdict, time_t now)
{
    return now >= verdict->valid_from && (verdict->valid_until == 0 || now < verdict->valid_until);
}

static struct tg_verdict *find(const uint8_t key[TG_SHA256_SIZE], time_t now)
{
    struct slot *slot = slot_of(key);
    struct tg_verdict *verdict = NULL;

    if (pthread_mutex_trylock(&busy) != 0)
        return NULL;
    if (slot->verdict != NULL && memcmp(slot->key, key, TG_SHA256_SIZE) == 0 &&
        holds(slot->verdict, now))
        verdict = tg_verdict_ref(slot->verdict);
    pthread_mutex_unlock(&busy);
    return verdict;
}

static void keep(const uint8_t key[TG_SHA256_SIZE], struct tg_verdict *verdict)
{
    struct slot *slot = slot_of(key);
    struct tg_verdict *old = NULL;

    if (pthread_mutex_trylock(&busy) != 0)
        return;
    old = slot->verdict;
    memcpy(slot->key, key, TG_SHA256_SIZE);
    slot->verdict = tg_verdict_ref(verdict);
    pthread_mutex_unlock(&busy);
    tg_verdict_free(old);
}

/*
 * The caller may go on to change its leaf (the alias of a hostname override): what is kept,
 * and read by other threads, is a copy.
 */
static int detach(struct tg_verdict *verdict)
{
    X509 *leaf = sk_X509_value(verdict->path, 0), *copy = X509_dup(leaf);

    if (copy == NULL)
        return 0;
    (void)sk_X509_set(verdict->path, 0, copy);
    X509_free(leaf);
    return 1;
}

static bool cacheable(const tg_policy *policy, const struct tg_match *match,
                      const struct tg_query *query)
{
    return policy != NULL && query->leaf != NULL && match->kind == TG_MATCH_RULE &&
           match->rule->action == TG_ACTION_EVALUATE && !tg_rule_uses_app(match->rule) &&
           match->rule->revocation < TG_REVOCATION_STAPLE && sk_X509_num(query->sent) <= 8;
}

struct tg_verdict *tg_evaluate_cached(const tg_policy *policy, const struct tg_match *match,
                                      const struct tg_query *query)
{
    uint8_t key[TG_SHA256_SIZE];
    struct tg_verdict *verdict = NULL;
    time_t now = query->now != 0 ? query->now : time(NULL);

    if (!cacheable(policy, match, query) || !make_key(policy, match, query, key))
        return tg_evaluate(policy, match, query);
    verdict = find(key, now);
    if (verdict != NULL)
        return verdict;
    verdict = tg_evaluate(policy, match, query);
    if (verdict != NULL && verdict->accepted && holds(verdict, now) && detach(verdict))
        keep(key, verdict);
    return verdict;
}
