#include "authorities.h"
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#define SLOTS 64

static struct slot {
    bool used;
    uint8_t key[TG_SHA256_SIZE];
} slots[SLOTS];

/* Only ever tried: whatever thread held it when a process forked, nobody waits for it. */
static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

/* Its length stands in front of DER: no two lists of certificates give the same bytes. */
static bool add(EVP_MD_CTX *context, const X509 *certificate)
{
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);
    bool added = size > 0 && EVP_DigestUpdate(context, der, (size_t)size);

    OPENSSL_free(der);
    return added;
}

bool tg_authorities_key(const STACK_OF(X509) *chain, uint8_t key[TG_SHA256_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool made = context != NULL && EVP_DigestInit_ex(context, tg_hash_sha256(), NULL);

    for (int i = 1; made && i < sk_X509_num(chain); i++)
        made = add(context, sk_X509_value(chain, i));
    made = made && EVP_DigestFinal_ex(context, key, NULL);
    EVP_MD_CTX_free(context);
    return made;
}

static struct slot *slot_of(const uint8_t key[TG_SHA256_SIZE])
{
    return &slots[key[0] % SLOTS];
}

void tg_authorities_keep(const uint8_t key[TG_SHA256_SIZE])
{
    struct slot *slot = slot_of(key);

    if (pthread_mutex_trylock(&busy) != 0)
        return;
    slot->used = true;
    memcpy(slot->key, key, TG_SHA256_SIZE);
    pthread_mutex_unlock(&busy);
}

bool tg_authorities_known(const uint8_t key[TG_SHA256_SIZE])
{
    const struct slot *slot = slot_of(key);
    bool known;

    if (pthread_mutex_trylock(&busy) != 0)
        return false;
    known = slot->used && memcmp(slot->key, key, TG_SHA256_SIZE) == 0;
    pthread_mutex_unlock(&busy);
    return known;
}
