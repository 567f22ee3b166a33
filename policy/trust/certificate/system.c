#include "system.h"
#include "policy.h"
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>

/* Both stay for the life of the process. */
static X509_STORE *chosen; /* by the environment */
static X509_STORE *fixed;

static void load_chosen(void)
{
    X509_STORE *fresh = X509_STORE_new();

    if (fresh == NULL)
        return;
    ERR_set_mark();
    X509_STORE_set_default_paths(fresh);
    ERR_pop_to_mark();
    chosen = fresh;
}

/* The same places by their names, for X509_STORE_set_default_paths(3) asks the environment. */
static void load_fixed(void)
{
    X509_STORE *fresh = X509_STORE_new();

    if (fresh == NULL)
        return;
    ERR_set_mark();
    X509_STORE_load_file(fresh, X509_get_default_cert_file());
    X509_STORE_load_path(fresh, X509_get_default_cert_dir());
    ERR_pop_to_mark();
    fixed = fresh;
}

static X509_STORE *get_store(bool locked)
{
    static pthread_once_t once[2] = {PTHREAD_ONCE_INIT, PTHREAD_ONCE_INIT};

    pthread_once(&once[locked], locked ? load_fixed : load_chosen);
    return locked ? fixed : chosen;
}

X509_STORE_CTX *tg_system_store(const tg_policy *policy)
{
    X509_STORE *store = get_store(policy != NULL && policy->locked);
    X509_STORE_CTX *context = store != NULL ? X509_STORE_CTX_new() : NULL;

    if (context == NULL || X509_STORE_CTX_init(context, store, NULL, NULL))
        return context;
    X509_STORE_CTX_free(context);
    return NULL;
}
