#include "cache.h"
#include "evaluate.h"
#include "findings.h"
#include "hash.h"
#include "reference.h"
#include "validity.h"
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 64
#define SEEN  1024 /* leaves of which it is known that they came */
#define MARK  8    /* bytes that tell one of these from another */

static struct slot {
    uint8_t key[TG_SHA256_SIZE];
    struct tg_verdict *verdict;
} slots[SLOTS];

/* Only ever tried: whatever thread held it when a process forked, nobody waits for it. */
static uint8_t seen[SEEN][MARK];
static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

/* Length first, so that no two lists of fields give the same bytes. */
static bool add(EVP_MD_CTX *context, const void *bytes, size_t size)
{
    return EVP_DigestUpdate(context, &size, sizeof(size)) && EVP_DigestUpdate(context, bytes, size);
}

/* libssl counts the leaf among what was sent; its digest is there already. */
static bool add_sent(EVP_MD_CTX *context, const X509 *certificate, const X509 *leaf)
{
    unsigned char *der = NULL;
    bool added = false;
    int size;

    if (certificate == leaf)
        return add(context, "", 0);
    size = i2d_X509(certificate, &der);
    if (size > 0)
        added = add(context, der, (size_t)size);
    OPENSSL_free(der);
    return added;
}

/* The names that the application has the library check. */
static bool add_names(EVP_MD_CTX *context, X509_VERIFY_PARAM *param)
{
    const char *email = X509_VERIFY_PARAM_get0_email(param), *name = NULL;
    char *address = NULL;
    bool added =
        tg_reference_address(param, &address) &&
        add(context, email != NULL ? email : "", email != NULL ? strlen(email) : 0) &&
        add(context, address != NULL ? address : "", address != NULL ? strlen(address) : 0);

    OPENSSL_free(address);
    for (int i = 0; added && (name = X509_VERIFY_PARAM_get0_host(param, i)) != NULL; i++)
        added = add(context, name, strlen(name));
    return added;
}

/* Everything an evaluation without the application's anchors depends on, but for the time. */
static bool add_query(EVP_MD_CTX *context, const tg_policy *policy, const struct tg_match *match,
                      const struct tg_query *query)
{
    const char *host = query->host != NULL ? query->host : "";
    unsigned hostflags = tg_query_host_flags(query);

    if (!add(context, &policy->generation, sizeof(policy->generation)) ||
        !add(context, &match->rule, sizeof(match->rule)) ||
        !add(context, &match->pattern, sizeof(match->pattern)) ||
        !add(context, host, strlen(host)) || !add(context, &query->port, sizeof(query->port)) ||
        !add(context, &query->security_level, sizeof(query->security_level)) ||
        !add(context, &query->tls_version, sizeof(query->tls_version)) ||
        !add(context, &hostflags, sizeof(hostflags)) ||
        !add(context, query->leaf_digest, TG_SHA256_SIZE))
        return false;
    if (query->app != NULL && !add_names(context, X509_STORE_CTX_get0_param(query->app)))
        return false;
    for (int i = 0; i < sk_X509_num(query->sent); i++)
        if (!add_sent(context, sk_X509_value(query->sent, i), query->leaf))
            return false;
    return true;
}

static bool make_key(const tg_policy *policy, const struct tg_match *match,
                     const struct tg_query *query, uint8_t key[TG_SHA256_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool made = context != NULL && EVP_DigestInit_ex(context, tg_hash_sha256(), NULL) &&
                add_query(context, policy, match, query) && EVP_DigestFinal_ex(context, key, NULL);
    EVP_MD_CTX_free(context);
    return made;
}

static struct slot *slot_of(const uint8_t key[TG_SHA256_SIZE])
{
    return &slots[key[0] % SLOTS];
}

static STACK_OF(X509) *copy_path(const STACK_OF(X509) *from, X509 *leaf)
{
    STACK_OF(X509) *path = sk_X509_new_reserve(NULL, sk_X509_num(from));

    for (int i = 0; path != NULL && i < sk_X509_num(from); i++) {
        X509 *certificate = i == 0 ? leaf : sk_X509_value(from, i);

        if ((certificate != NULL && !X509_up_ref(certificate)) ||
            !sk_X509_push(path, certificate)) {
            sk_X509_pop_free(path, X509_free);
            return NULL;
        }
    }
    return path;
}

/*
 * A verdict like FROM on LEAF, under POLICY. What is kept has neither (NULL). The caller may go
 * on to change its own leaf, for the alias of a hostname override, while other threads read the
 * cache; and a policy that was replaced, with all its lists, must not stay for what is never
 * found again: whoever finds a verdict has the policy, and with it the rule, of that generation.
 */
static struct tg_verdict *copy(const struct tg_verdict *from, const tg_policy *policy, X509 *leaf)
{
    STACK_OF(X509) *path = copy_path(from->path, leaf);
    struct tg_findings none = {0};
    struct tg_verdict *verdict = NULL;

    if (path != NULL)
        verdict = tg_verdict_new(policy, from->result, &none, &path);
    sk_X509_pop_free(path, X509_free);
    if (verdict == NULL)
        return NULL;
    verdict->rule = from->rule;
    verdict->pattern = from->pattern;
    verdict->reported = from->reported;
    verdict->valid_from = from->valid_from;
    verdict->valid_until = from->valid_until;
    verdict->leaf_digested = from->leaf_digested;
    memcpy(verdict->leaf_digest, from->leaf_digest, TG_SHA256_SIZE);
    return verdict;
}

static struct tg_verdict *find(const uint8_t key[TG_SHA256_SIZE], time_t now,
                               const tg_policy *policy, X509 *leaf)
{
    struct slot *slot = slot_of(key);
    struct tg_verdict *kept = NULL, *verdict = NULL;

    if (pthread_mutex_trylock(&busy) != 0)
        return NULL;
    if (slot->verdict != NULL && memcmp(slot->key, key, TG_SHA256_SIZE) == 0 &&
        tg_validity_holds(slot->verdict, now))
        kept = tg_verdict_ref(slot->verdict);
    pthread_mutex_unlock(&busy);
    if (kept != NULL)
        verdict = copy(kept, policy, leaf);
    tg_verdict_free(kept);
    return verdict;
}

/*
 * Whether this leaf came before, as far as is remembered: one that comes once costs no key and no
 * copy, and pushes out none that comes again.
 */
static bool is_seen_again(const uint8_t leaf[TG_SHA256_SIZE])
{
    uint8_t *mark = seen[(leaf[0] | leaf[1] << 8) % SEEN];
    bool again;

    if (pthread_mutex_trylock(&busy) != 0)
        return false;
    again = memcmp(mark, leaf + 2, MARK) == 0;
    memcpy(mark, leaf + 2, MARK);
    pthread_mutex_unlock(&busy);
    return again;
}

static void keep(const uint8_t key[TG_SHA256_SIZE], const struct tg_verdict *verdict)
{
    struct slot *slot = slot_of(key);
    struct tg_verdict *kept = copy(verdict, NULL, NULL), *old = NULL;

    if (kept == NULL || pthread_mutex_trylock(&busy) != 0) {
        tg_verdict_free(kept);
        return;
    }
    old = slot->verdict;
    memcpy(slot->key, key, TG_SHA256_SIZE);
    slot->verdict = kept;
    pthread_mutex_unlock(&busy);
    tg_verdict_free(old);
}

static bool cacheable(const tg_policy *policy, const struct tg_match *match,
                      const struct tg_query *query)
{
    return policy != NULL && query->leaf != NULL && match->kind == TG_MATCH_RULE &&
           match->rule->action == TG_ACTION_EVALUATE && match->rule->anchors_only &&
           match->rule->revocation < TG_REVOCATION_STAPLE && sk_X509_num(query->sent) <= 8;
}

struct tg_verdict *tg_evaluate_cached(const tg_policy *policy, const struct tg_match *match,
                                      const struct tg_query *query)
{
    uint8_t key[TG_SHA256_SIZE], leaf_digest[TG_SHA256_SIZE];
    struct tg_query digested = *query;
    struct tg_verdict *verdict = NULL;
    time_t now = query->now != 0 ? query->now : time(NULL);

    if (!cacheable(policy, match, query) || !tg_hash_certificate(query->leaf, leaf_digest))
        return tg_evaluate(policy, match, query);
    digested.leaf_digest = leaf_digest;
    if (!is_seen_again(leaf_digest) || !make_key(policy, match, &digested, key))
        return tg_evaluate(policy, match, &digested);
    verdict = find(key, now, policy, query->leaf);
    if (verdict != NULL)
        return verdict;
    verdict = tg_evaluate(policy, match, &digested);
    /* Forgiven findings and notes are rare, and not worth copying. */
    if (verdict != NULL && verdict->accepted && verdict->finding_count == 0 &&
        verdict->note == NULL && tg_validity_holds(verdict, now))
        keep(key, verdict);
    return verdict;
}
