#include "hash.h"
#include "hook.h"
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define SLOTS 1024

static struct slot {
    uint8_t key[TG_SHA256_SIZE];
    time_t until; /* 0: for ever */
} slots[SLOTS];

/* Only ever tried, as in cache.c: a session that can't be looked up is dropped. */
static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

static bool make_key(const tg_policy *policy, const struct tg_peer *peer, const X509 *leaf,
                     int version, uint8_t key[TG_SHA256_SIZE])
{
    struct {
        uint64_t policy;
        unsigned port;
        int version;
        uint8_t leaf[TG_SHA256_SIZE];
        char host[TG_HOST_SIZE];
    } fields;

    memset(&fields, 0, sizeof(fields));
    fields.policy = policy != NULL ? policy->generation : 0;
    fields.port = peer->port;
    fields.version = version;
    memcpy(fields.host, peer->host, strlen(peer->host));
    return tg_hash_certificate(leaf, fields.leaf) &&
           EVP_Digest(&fields, sizeof(fields), key, NULL, tg_hash_sha256(), NULL);
}

static struct slot *slot_of(const uint8_t key[TG_SHA256_SIZE])
{
    return &slots[(key[0] | key[1] << 8) % SLOTS];
}

void tg_known_add(const tg_policy *policy, const struct tg_peer *peer, const X509 *leaf,
                  int version, time_t until)
{
    uint8_t key[TG_SHA256_SIZE];

    if (!make_key(policy, peer, leaf, version, key) || pthread_mutex_trylock(&busy) != 0)
        return;
    memcpy(slot_of(key)->key, key, TG_SHA256_SIZE);
    slot_of(key)->until = until;
    pthread_mutex_unlock(&busy);
}

bool tg_known(const tg_policy *policy, const struct tg_peer *peer, const X509 *leaf, int version)
{
    uint8_t key[TG_SHA256_SIZE];
    bool found;

    if (leaf == NULL || !make_key(policy, peer, leaf, version, key) ||
        pthread_mutex_trylock(&busy) != 0)
        return false;
    found = memcmp(slot_of(key)->key, key, TG_SHA256_SIZE) == 0 &&
            (slot_of(key)->until == 0 || time(NULL) < slot_of(key)->until);
    pthread_mutex_unlock(&busy);
    return found;
}
