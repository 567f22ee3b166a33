#include "accepted.h"
#include "convert.h"
#include "match.h"
#include "process.h"
#include <openssl/evp.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#define SLOTS 1024

static struct slot {
    uint8_t key[TG_SHA256_SIZE];
    time_t until; /* 0: for ever */
} slots[SLOTS];

/* Only ever tried, as in cache.c: a session that can't be looked up is dropped. */
static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

/*
 * The port often isn't known yet when a session is offered, so that the rule stands in for it; but
 * not where it isn't known either, or BY_PORT.
 */
static bool make_key(const tg_policy *policy, const struct tg_peer *peer,
                     const uint8_t leaf[TG_SHA256_SIZE], int version, bool by_port,
                     uint8_t key[TG_SHA256_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint64_t generation = policy != NULL ? policy->generation : 0;
    bool made = context != NULL && EVP_DigestInit_ex(context, tg_hash_sha256(), NULL) &&
                EVP_DigestUpdate(context, &generation, sizeof(generation)) &&
                EVP_DigestUpdate(context, &version, sizeof(version)) &&
                EVP_DigestUpdate(context, leaf, TG_SHA256_SIZE);

    for (unsigned i = 0; made && i < peer->count; i++) {
        const struct tg_candidate *who = &peer->candidates[i];
        struct tg_match match = {.kind = TG_MATCH_UNMATCHED};
        unsigned port = by_port ? who->port : 0;

        if (policy != NULL)
            match = tg_policy_match(policy, who->host, who->port, tg_process_program());
        made = who->host[0] != '\0' && match.kind != TG_MATCH_UNKNOWN &&
               EVP_DigestUpdate(context, who->host, strlen(who->host) + 1) &&
               EVP_DigestUpdate(context, &match.rule, sizeof(match.rule)) &&
               EVP_DigestUpdate(context, &port, sizeof(port));
    }
    made = made && EVP_DigestFinal_ex(context, key, NULL);
    EVP_MD_CTX_free(context);
    return made;
}

static struct slot *slot_of(const uint8_t key[TG_SHA256_SIZE])
{
    return &slots[(key[0] | key[1] << 8) % SLOTS];
}

void tg_accepted_add(const tg_policy *policy, const struct tg_peer *peer,
                     const uint8_t leaf[TG_SHA256_SIZE], int version, bool by_port, time_t until)
{
    uint8_t key[TG_SHA256_SIZE];

    if (!make_key(policy, peer, leaf, version, by_port, key) || pthread_mutex_trylock(&busy) != 0)
        return;
    memcpy(slot_of(key)->key, key, TG_SHA256_SIZE);
    slot_of(key)->until = until;
    pthread_mutex_unlock(&busy);
}

static bool knows(const uint8_t key[TG_SHA256_SIZE])
{
    bool found;

    if (pthread_mutex_trylock(&busy) != 0)
        return false;
    found = memcmp(slot_of(key)->key, key, TG_SHA256_SIZE) == 0 &&
            (slot_of(key)->until == 0 || time(NULL) < slot_of(key)->until);
    pthread_mutex_unlock(&busy);
    return found;
}

bool tg_accepted(const struct tg_hooked *hooked, const tg_policy *policy,
                 const struct tg_peer *peer, SSL_SESSION *session)
{
    uint8_t leaf[TG_SHA256_SIZE], key[TG_SHA256_SIZE];
    int version;

    if (!tg_accepted_digest(hooked, session, leaf))
        return false;
    version = hooked->libssl.SSL_SESSION_get_protocol_version(session);
    return (make_key(policy, peer, leaf, version, false, key) && knows(key)) ||
           (make_key(policy, peer, leaf, version, true, key) && knows(key));
}

/* A session of BoringSSL's carries its certificates as they came, without an alias. */
bool tg_accepted_digest(const struct tg_hooked *hooked, SSL_SESSION *session,
                        uint8_t leaf[TG_SHA256_SIZE])
{
    const struct tg_libcrypto *crypto = &hooked->library->crypto;
    const void *buffer = NULL;
    X509 *peer = NULL;

    if (session == NULL)
        return false;
    if (hooked->library->kind == TG_KIND_BORINGSSL) {
        const void *sent = hooked->libssl.SSL_SESSION_get0_peer_certificates(session);

        buffer = crypto->OPENSSL_sk_num(sent) > 0 ? crypto->OPENSSL_sk_value(sent, 0) : NULL;
        return buffer != NULL &&
               EVP_Digest(crypto->CRYPTO_BUFFER_data(buffer), crypto->CRYPTO_BUFFER_len(buffer),
                          leaf, NULL, tg_hash_sha256(), NULL);
    }
    peer = hooked->libssl.SSL_SESSION_get0_peer(session);
    return peer != NULL && tg_convert_digest(hooked->library, peer, leaf);
}

/*
 * What the application data of a ticket says, which a server alone has a use for (see
 * SSL_SESSION_set1_ticket_appdata(3)): a client sends it to nobody, SSL_SESSION_dup and
 * i2d_SSL_SESSION keep it, and so does what libssl makes of a ticket that comes later.
 */
static const char mark[] = "trustgraft: let in by a policy";

/* Leafs that were let in, of sessions that can't be marked; nothing is ever forgotten. */
static uint64_t let_in[1024];

static uint64_t *word_of(const uint8_t leaf[TG_SHA256_SIZE], uint64_t *bit)
{
    *bit = UINT64_C(1) << (leaf[0] & 63);
    return &let_in[(leaf[1] | leaf[2] << 8) % (sizeof(let_in) / sizeof(let_in[0]))];
}

bool tg_accepted_mark(const struct tg_hooked *hooked, SSL *ssl, const uint8_t leaf[TG_SHA256_SIZE])
{
    SSL_SESSION *session = hooked->libssl.SSL_get_session(ssl);
    uint64_t bit = 0, *word = word_of(leaf, &bit);

    if (hooked->library->kind == TG_KIND_BORINGSSL) {
        __atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
        return true;
    }
    return session == NULL ||
           hooked->libssl.SSL_SESSION_set1_ticket_appdata(session, mark, sizeof(mark));
}

bool tg_accepted_marked(const struct tg_hooked *hooked, SSL_SESSION *session)
{
    uint8_t leaf[TG_SHA256_SIZE];
    void *data = NULL;
    size_t length = 0;
    uint64_t bit = 0;
    const uint64_t *word = NULL;

    if (hooked->library->kind == TG_KIND_BORINGSSL)
        return tg_accepted_digest(hooked, session, leaf) && (word = word_of(leaf, &bit)) != NULL &&
               (__atomic_load_n(word, __ATOMIC_RELAXED) & bit) != 0;
    return session != NULL &&
           hooked->libssl.SSL_SESSION_get0_ticket_appdata(session, &data, &length) &&
           length == sizeof(mark) && memcmp(data, mark, sizeof(mark)) == 0;
}
