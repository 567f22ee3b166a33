#include "loader.h"
#include "anchors.h"
#include "error.h"
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>
#include <openssl/store.h>
#include <stdlib.h>

struct loader {
    const struct tg_provider *provider;
    struct tg_anchors *anchors;
    STACK_OF(X509) *certificates; /* listed at the first load; NULL before */
    int next;
    bool unwanted; /* something else than certificates is looked for */
};

static OSSL_FUNC_store_open_fn begin;
static OSSL_FUNC_store_settable_ctx_params_fn settable;
static OSSL_FUNC_store_set_ctx_params_fn set;
static OSSL_FUNC_store_load_fn load;
static OSSL_FUNC_store_eof_fn at_end;
static OSSL_FUNC_store_close_fn shut;

static int shut(void *loaderctx)
{
    struct loader *loader = loaderctx;

    if (loader == NULL)
        return 1;
    sk_X509_pop_free(loader->certificates, X509_free);
    tg_anchors_free(loader->anchors);
    free(loader);
    return 1;
}

static void *begin(void *provctx, const char *uri)
{
    struct tg_anchors *anchors = tg_anchors_open(provctx, uri);
    struct loader *loader = anchors != NULL ? calloc(1, sizeof(*loader)) : NULL;

    if (loader == NULL) {
        tg_anchors_free(anchors);
        return NULL;
    }
    loader->provider = provctx;
    loader->anchors = anchors;
    return loader;
}

static const OSSL_PARAM *settable(void *provctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, NULL),
        OSSL_PARAM_octet_string(OSSL_STORE_PARAM_SUBJECT, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)provctx;
    return params;
}

/* Criteria only narrow down what is loaded: an unknown one is ignored. */
static int set(void *loaderctx, const OSSL_PARAM params[])
{
    struct loader *loader = loaderctx;
    const OSSL_PARAM *expect = OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_EXPECT);
    const OSSL_PARAM *subject = OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_SUBJECT);
    const void *der = NULL;
    size_t size = 0;
    int kind = 0;

    if (expect != NULL) {
        if (!OSSL_PARAM_get_int(expect, &kind))
            return 0;
        loader->unwanted = kind != 0 && kind != OSSL_STORE_INFO_CERT;
    }
    if (subject == NULL)
        return 1;
    return OSSL_PARAM_get_octet_string_ptr(subject, &der, &size) &&
           tg_anchors_set_subject(loader->anchors, der, size);
}

TG_MUST_USE static bool list(struct loader *loader)
{
    STACK_OF(X509) *certificates = sk_X509_new_null();

    if (certificates == NULL ||
        (!loader->unwanted && !tg_anchors_list(loader->anchors, certificates))) {
        sk_X509_pop_free(certificates, X509_free);
        tg_provider_error(loader->provider, TG_REASON_MEMORY, NULL);
        return false;
    }
    loader->certificates = certificates;
    return true;
}

static int deliver(X509 *certificate, OSSL_CALLBACK *callback, void *arg)
{
    int kind = OSSL_OBJECT_CERT, length, done;
    unsigned char *der = NULL;

    length = i2d_X509(certificate, &der);
    if (length <= 0)
        return 0;
    const OSSL_PARAM object[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &kind),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, der, (size_t)length),
        OSSL_PARAM_construct_end(),
    };
    done = callback(object, arg);
    OPENSSL_free(der);
    return done;
}

static int load(void *loaderctx, OSSL_CALLBACK *callback, void *arg,
                OSSL_PASSPHRASE_CALLBACK *passphrase, void *passphrase_arg)
{
    struct loader *loader = loaderctx;

    (void)passphrase, (void)passphrase_arg;
    if (loader->certificates == NULL && !list(loader))
        return 0;
    if (loader->next >= sk_X509_num(loader->certificates))
        return 0;
    return deliver(sk_X509_value(loader->certificates, loader->next++), callback, arg);
}

static int at_end(void *loaderctx)
{
    const struct loader *loader = loaderctx;

    return loader->certificates != NULL && loader->next >= sk_X509_num(loader->certificates);
}

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_STORE_OPEN, (void (*)(void))begin},
    {OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS, (void (*)(void))settable},
    {OSSL_FUNC_STORE_SET_CTX_PARAMS, (void (*)(void))set},
    {OSSL_FUNC_STORE_LOAD, (void (*)(void))load},
    {OSSL_FUNC_STORE_EOF, (void (*)(void))at_end},
    {OSSL_FUNC_STORE_CLOSE, (void (*)(void))shut},
    {0, NULL},
};

const OSSL_ALGORITHM tg_store_loaders[] = {
    {"trustgraft", "provider=trustgraft,fips=yes", functions, "a host's anchors by policy"},
    {NULL, NULL, NULL, NULL},
};
