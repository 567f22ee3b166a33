#include "hash.h"
#include "hook.h"
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

static bool make_key(const tg_policy *policy, const struct tg_peer *peer,
                     const uint8_t leaf[TG_SHA256_SIZE], int version, uint8_t key[TG_SHA256_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint64_t generation = policy != NULL ? policy->generation : 0;
    bool made = context != NULL && EVP_DigestInit_ex(context, tg_hash_sha256(), NULL) &&
                EVP_DigestUpdate(context, &generation, sizeof(generation)) &&
                EVP_DigestUpdate(context, &version, sizeof(version)) &&
                EVP_DigestUpdate(context, leaf, TG_SHA256_SIZE);

    for (unsigned i = 0; made && i < peer->count; i++) {
        const struct tg_candidate *who = &peer->candidates[i];

        made = who->host[0] != '\0' &&
               EVP_DigestUpdate(context, who->host, strlen(who->host) + 1) &&
               EVP_DigestUpdate(context, &who->port, sizeof(who->port));
    }
    made = made && EVP_DigestFinal_ex(context, key, NULL);
    EVP_MD_CTX_free(context);
    return made;
}

static struct slot *slot_of(const uint8_t key[TG_SHA256_SIZE])
{
    return &slots[(key[0] | key[1] << 8) % SLOTS];
}

void tg_known_add(const tg_policy *policy, const struct tg_peer *peer,
                  const uint8_t leaf[TG_SHA256_SIZE], int version, time_t until)
{
    uint8_t key[TG_SHA256_SIZE];

    if (!make_key(policy, peer, leaf, version, key) || pthread_mutex_trylock(&busy) != 0)
        return;
    memcpy(slot_of(key)->key, key, TG_SHA256_SIZE);
    slot_of(key)->until = until;
    pthread_mutex_unlock(&busy);
}

bool tg_known(const tg_policy *policy, const struct tg_peer *peer,
              const uint8_t leaf[TG_SHA256_SIZE], int version)
{
    uint8_t key[TG_SHA256_SIZE];
    bool found;

    if (!make_key(policy, peer, leaf, version, key) || pthread_mutex_trylock(&busy) != 0)
        return false;
    found = memcmp(slot_of(key)->key, key, TG_SHA256_SIZE) == 0 &&
            (slot_of(key)->until == 0 || time(NULL) < slot_of(key)->until);
    pthread_mutex_unlock(&busy);
    return found;
}

/* A session of BoringSSL's carries its certificates as they came, without an alias. */
bool tg_known_digest(const struct tg_hooked *hooked, SSL_SESSION *session,
                     uint8_t leaf[TG_SHA256_SIZE])
{
    const struct tg_libcrypto *crypto = hooked->crypto;
    const void *buffer = NULL;
    X509 *peer = NULL;

    if (session == NULL)
        return false;
    if (hooked->library->kind == TG_BORINGSSL) {
        const void *sent = hooked->libssl.SSL_SESSION_get0_peer_certificates(session);

        buffer = crypto->OPENSSL_sk_num(sent) > 0 ? crypto->OPENSSL_sk_value(sent, 0) : NULL;
        return buffer != NULL &&
               EVP_Digest(crypto->CRYPTO_BUFFER_data(buffer), crypto->CRYPTO_BUFFER_len(buffer),
                          leaf, NULL, tg_hash_sha256(), NULL);
    }
    peer = hooked->libssl.SSL_SESSION_get0_peer(session);
    return peer != NULL && tg_border_digest(hooked->library, peer, leaf);
}
