#include "accepted.h"
#include "given.h"
#include "match.h"
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#define SLOTS 1024

static struct tg_admitted slots[SLOTS];

/* Only ever tried, as in cache.c: a session that can't be looked up is dropped. */
static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

/*
 * All of a candidate that its verdict may depend on. The port often isn't known yet when a session
 * is offered, so that the rule stands in for it; but not where it isn't known either, BY_PORT, or
 * under known-hosts, whose lines may be for a port.
 */
static bool add_candidate(EVP_MD_CTX *context, const struct tg_candidate *who,
                          const struct tg_match *match, bool by_port)
{
    bool pinned = match->rule != NULL && match->rule->known_hosts != NULL;
    unsigned port = by_port || pinned ? who->port : 0;

    return who->host[0] != '\0' && match->kind != TG_MATCH_UNKNOWN &&
           EVP_DigestUpdate(context, who->host, strlen(who->host) + 1) &&
           EVP_DigestUpdate(context, &who->end, sizeof(who->end)) &&
           EVP_DigestUpdate(context, &match->rule, sizeof(match->rule)) &&
           EVP_DigestUpdate(context, &match->pattern, sizeof(match->pattern)) &&
           EVP_DigestUpdate(context, &port, sizeof(port));
}

/* A number of this context alone: an address may be another's later. 0: there is none. */
static uint64_t serial_of(struct tg_context_state *state)
{
    static _Atomic uint64_t serials;
    uint64_t none = 0, next;

    if (state == NULL)
        return 0;
    next = atomic_fetch_add_explicit(&serials, 1, memory_order_relaxed) + 1;
    if (atomic_compare_exchange_strong_explicit(&state->serial, &none, next, memory_order_relaxed,
                                                memory_order_relaxed))
        return next;
    return none;
}

/* Whose anchors they are that the application trusts. */
static bool add_store(EVP_MD_CTX *context, const struct tg_admission *admission)
{
    const struct tg_hooked *hooked = admission->hooked;
    const SSL_CTX *of = hooked->libssl.SSL_get_SSL_CTX(admission->ssl);
    const X509_STORE *store = hooked->library->backend->store(hooked, admission->ssl);
    uint64_t serials[] = {serial_of(tg_context_state_of(hooked, of)), tg_given_serial(of)};

    return (serials[0] != 0 || serials[1] != 0) &&
           EVP_DigestUpdate(context, serials, sizeof(serials)) &&
           EVP_DigestUpdate(context, &store, sizeof(store));
}

static bool make_key(const struct tg_admission *admission, const uint8_t leaf[TG_SHA256_SIZE],
                     int version, bool by_port, uint8_t key[TG_SHA256_SIZE])
{
    const struct tg_match none = {.kind = TG_MATCH_UNMATCHED};
    const tg_policy *policy = admission->policy;
    struct tg_peer *peer = admission->peer;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint64_t generation = policy != NULL ? policy->generation : 0;
    bool made = context != NULL && EVP_DigestInit_ex(context, tg_hash_sha256(), NULL) &&
                EVP_DigestUpdate(context, &generation, sizeof(generation)) &&
                EVP_DigestUpdate(context, &version, sizeof(version)) &&
                EVP_DigestUpdate(context, leaf, TG_SHA256_SIZE);
    bool anchored = true;

    if (policy != NULL)
        tg_peer_match(peer, policy);
    for (unsigned i = 0; made && i < peer->count; i++) {
        const struct tg_match *match = policy != NULL ? &peer->candidates[i].match : &none;

        made = add_candidate(context, &peer->candidates[i], match, by_port);
        anchored = anchored && match->rule != NULL && match->rule->anchors_only;
    }
    made = made && (anchored || add_store(context, admission)) &&
           EVP_DigestFinal_ex(context, key, NULL);
    EVP_MD_CTX_free(context);
    return made;
}

static struct tg_admitted *slot_of(const uint8_t key[TG_SHA256_SIZE])
{
    return &slots[(key[0] | key[1] << 8) % SLOTS];
}

void tg_accepted_add(const struct tg_admission *admission, const uint8_t leaf[TG_SHA256_SIZE],
                     int version, bool by_port, time_t until)
{
    uint8_t key[TG_SHA256_SIZE];

    if (!make_key(admission, leaf, version, by_port, key) || pthread_mutex_trylock(&busy) != 0)
        return;
    memcpy(slot_of(key)->key, key, TG_SHA256_SIZE);
    slot_of(key)->until = until;
    pthread_mutex_unlock(&busy);
}

static bool is_of(const struct tg_admitted *admitted, const uint8_t key[TG_SHA256_SIZE])
{
    return memcmp(admitted->key, key, TG_SHA256_SIZE) == 0 &&
           (admitted->until == 0 || time(NULL) < admitted->until);
}

/* What is known as a session is offered is still known when it was resumed, however many servers
 * have taken the place since. */
static bool knows(struct tg_connection_state *state, const uint8_t key[TG_SHA256_SIZE])
{
    struct tg_admitted found = {.until = 0};

    for (size_t i = 0; state != NULL && i < TG_ADMITTED; i++)
        if (is_of(&state->admitted[i], key))
            return true;
    if (pthread_mutex_trylock(&busy) != 0)
        return false;
    found = *slot_of(key);
    pthread_mutex_unlock(&busy);
    if (!is_of(&found, key))
        return false;
    if (state != NULL) {
        state->admitted[1] = state->admitted[0];
        state->admitted[0] = found;
    }
    return true;
}

bool tg_accepted(const struct tg_admission *admission, SSL_SESSION *session)
{
    const struct tg_hooked *hooked = admission->hooked;
    struct tg_connection_state *state = tg_connection_state_of(hooked, admission->ssl);
    uint8_t leaf[TG_SHA256_SIZE], key[TG_SHA256_SIZE];
    int version;

    if (!tg_accepted_digest(hooked, session, leaf))
        return false;
    version = hooked->libssl.SSL_SESSION_get_protocol_version(session);
    return (make_key(admission, leaf, version, false, key) && knows(state, key)) ||
           (make_key(admission, leaf, version, true, key) && knows(state, key));
}

bool tg_accepted_digest(const struct tg_hooked *hooked, SSL_SESSION *session,
                        uint8_t leaf[TG_SHA256_SIZE])
{
    return hooked->library->backend->session_digest(hooked, session, leaf);
}

bool tg_accepted_mark(const struct tg_hooked *hooked, SSL *ssl, const uint8_t leaf[TG_SHA256_SIZE])
{
    return hooked->library->backend->mark_session(hooked, hooked->libssl.SSL_get_session(ssl),
                                                  leaf);
}

bool tg_accepted_marked(const struct tg_hooked *hooked, SSL_SESSION *session)
{
    return hooked->library->backend->is_marked(hooked, session);
}
