#include "crlmemo.h"
#include <pthread.h>
#include <string.h>

/* Only ever tried: whatever thread held it when a process forked, nobody waits for it. */
static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

bool tg_crlmemo_has(const struct tg_crl_memo *memo, const X509_CRL *crl,
                    const uint8_t issuer[TG_SHA256_SIZE])
{
    bool found = false;

    if (memo == NULL || pthread_mutex_trylock(&busy) != 0)
        return false;
    for (size_t i = 0; !found && i < TG_CRL_MEMO_SIZE; i++)
        found = memo->genuine[i].crl == crl &&
                memcmp(memo->genuine[i].issuer, issuer, TG_SHA256_SIZE) == 0;
    pthread_mutex_unlock(&busy);
    return found;
}

void tg_crlmemo_add(struct tg_crl_memo *memo, const X509_CRL *crl,
                    const uint8_t issuer[TG_SHA256_SIZE])
{
    size_t at;

    if (memo == NULL || pthread_mutex_trylock(&busy) != 0)
        return;
    at = memo->next++ % TG_CRL_MEMO_SIZE;
    memo->genuine[at].crl = crl;
    memcpy(memo->genuine[at].issuer, issuer, TG_SHA256_SIZE);
    pthread_mutex_unlock(&busy);
}
