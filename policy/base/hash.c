#include "hash.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

static const EVP_MD *fetched; /* stays for the life of the process */

static void fetch(void)
{
    ERR_set_mark();
    fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
    ERR_pop_to_mark();
}

const EVP_MD *tg_hash_sha256(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, fetch);
    return fetched != NULL ? fetched : EVP_sha256();
}

/* Frees DER, as i2d made it. */
static bool hash(unsigned char *der, int length, uint8_t out[TG_SHA256_SIZE])
{
    bool done =
        length > 0 && EVP_Digest(der, (size_t)length, out, NULL, tg_hash_sha256(), NULL) == 1;

    OPENSSL_free(der);
    return done;
}

/* X509_digest(3) would fetch the algorithm each time. */
bool tg_hash_certificate(const X509 *certificate, uint8_t out[TG_SHA256_SIZE])
{
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);

    return hash(der, length, out);
}

bool tg_hash_pubkey(const X509_PUBKEY *key, uint8_t out[TG_SHA256_SIZE])
{
    unsigned char *der = NULL;
    int length = i2d_X509_PUBKEY(key, &der);

    return hash(der, length, out);
}

bool tg_hash_spki(const X509 *certificate, uint8_t out[TG_SHA256_SIZE])
{
    return tg_hash_pubkey(X509_get_X509_PUBKEY(certificate), out);
}

bool tg_digests_have(const struct tg_digests *digests, const uint8_t digest[TG_SHA256_SIZE])
{
    for (size_t i = 0; i < digests->count; i++)
        if (memcmp(digests->digest[i], digest, TG_SHA256_SIZE) == 0)
            return true;
    return false;
}
