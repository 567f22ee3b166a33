#include "system.h"
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>

static X509_STORE *store; /* stays for the life of the process */

static void load(void)
{
    X509_STORE *fresh = X509_STORE_new();

    if (fresh == NULL)
        return;
    ERR_set_mark();
    X509_STORE_set_default_paths(fresh);
    ERR_pop_to_mark();
    store = fresh;
}

X509_STORE_CTX *tg_system_store(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    X509_STORE_CTX *context = NULL;

    pthread_once(&once, load);
    if (store == NULL || (context = X509_STORE_CTX_new()) == NULL)
        return NULL;
    if (X509_STORE_CTX_init(context, store, NULL, NULL))
        return context;
    X509_STORE_CTX_free(context);
    return NULL;
}
