/* init.c - OSSL_provider_init: wiring, and what a provider says about itself. */
#include "error.h"
#include "inject.h"
#include "loaded.h"
#include "loader.h"
#include "settings.h"
#include <dlfcn.h>
#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_bool in_force;
static atomic_bool
    elsewhere; /* another engine than the one this library is linked to serves here */
/* By the configuration that this thread reads now: it may be one of several library contexts. */
static _Thread_local bool failed;

static void take(struct tg_provider *provider, const OSSL_DISPATCH *in)
{
    for (; in->function_id != 0; in++) {
        switch (in->function_id) {
        case OSSL_FUNC_CORE_GET_PARAMS:
            provider->get_params = OSSL_FUNC_core_get_params(in);
            break;
        case OSSL_FUNC_CORE_GET_LIBCTX:
            provider->get_library = OSSL_FUNC_core_get_libctx(in);
            break;
        case OSSL_FUNC_CORE_NEW_ERROR:
            provider->new_error = OSSL_FUNC_core_new_error(in);
            break;
        case OSSL_FUNC_CORE_VSET_ERROR:
            provider->vset_error = OSSL_FUNC_core_vset_error(in);
            break;
        default:
            break;
        }
    }
}

/*
 * With two libcrypto in a process, the one that loaded the provider needn't be the one that the
 * dynamic linker bound it to: OpenSSL 4's isn't. The engine then works on ours, which has to read
 * its configuration first, as that loads this provider into it, too.
 */
static bool begin_own(const struct tg_provider *provider)
{
    return tg_elf_map((const void *)provider->get_params) == tg_elf_map((const void *)X509_new) ||
           OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) == 1;
}

typedef __typeof__(&tg_inject_libcrypto) inject_function;

/* Of the engine that serves this process (inject.h); NULL: it is of another version. */
static inject_function find_engine(void)
{
    void *inside = tg_elf_loaded(TG_ENGINE_INSIDE);
    __typeof__(&tg_inject_serves) serves = NULL;
    __typeof__(&tg_inject_version) version = NULL;

    if (inside == NULL)
        return tg_inject_libcrypto;
    serves = (__typeof__(serves))dlsym(inside, "tg_inject_serves");
    version = (__typeof__(version))dlsym(inside, "tg_inject_version");
    if (serves == NULL || version == NULL || version() != TG_INJECT_VERSION)
        return NULL;
    if (!serves(true))
        return tg_inject_libcrypto;
    atomic_store(&elsewhere, true);
    return (inject_function)dlsym(inside, "tg_inject_libcrypto");
}

static bool inject(const struct tg_provider *provider)
{
    struct tg_settings settings;
    inject_function into_libcrypto = NULL;
    void *library = provider->get_library != NULL ? provider->get_library(provider->core) : NULL;

    if (!begin_own(provider)) {
        tg_provider_error(provider, TG_REASON_INJECT, "the OpenSSL 3 beside it can't begin");
        return false;
    }
    into_libcrypto = find_engine();
    if (into_libcrypto == NULL) {
        tg_provider_error(provider, TG_REASON_INJECT,
                          TG_ENGINE_INSIDE " in this process is of another version");
        return false;
    }
    tg_settings_read(provider, &settings);
    if (into_libcrypto((const void *)provider->get_params, settings.policy, settings.problem,
                       library) != TG_INJECT_FAILED)
        return true;
    tg_provider_error(provider, TG_REASON_INJECT, NULL);
    return false;
}

static OSSL_FUNC_provider_teardown_fn teardown;
static OSSL_FUNC_provider_gettable_params_fn gettable;
static OSSL_FUNC_provider_get_params_fn get;
static OSSL_FUNC_provider_query_operation_fn query;

/* The hook stays: contexts and connections that it serves may outlive the provider. */
static void teardown(void *provctx)
{
    free(provctx);
}

static const OSSL_PARAM *gettable(void *provctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, NULL, 0),
        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_VERSION, NULL, 0),
        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_BUILDINFO, NULL, 0),
        OSSL_PARAM_int(OSSL_PROV_PARAM_STATUS, NULL),
        OSSL_PARAM_END,
    };

    (void)provctx;
    return params;
}

static int set_text(OSSL_PARAM params[], const char *key, const char *text)
{
    OSSL_PARAM *param = OSSL_PARAM_locate(params, key);

    return param == NULL || OSSL_PARAM_set_utf8_ptr(param, text);
}

static int get(void *provctx, OSSL_PARAM params[])
{
    OSSL_PARAM *status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);

    (void)provctx;
    return set_text(params, OSSL_PROV_PARAM_NAME, "trustgraft") &&
           set_text(params, OSSL_PROV_PARAM_VERSION, TG_VERSION) &&
           set_text(params, OSSL_PROV_PARAM_BUILDINFO, TG_VERSION) &&
           (status == NULL || OSSL_PARAM_set_int(status, 1));
}

static const OSSL_ALGORITHM *query(void *provctx, int operation, int *no_cache)
{
    (void)provctx;
    *no_cache = 0;
    /* Certificates of the engine's own can't be handed out from another libcrypto. */
    return operation == OSSL_OP_STORE && !atomic_load(&elsewhere) ? tg_store_loaders : NULL;
}

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))teardown},
    {OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, (void (*)(void))gettable},
    {OSSL_FUNC_PROVIDER_GET_PARAMS, (void (*)(void))get},
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
    {OSSL_FUNC_PROVIDER_GET_REASON_STRINGS, (void (*)(void))tg_provider_reasons},
    {0, NULL},
};

TG_API OSSL_provider_init_fn OSSL_provider_init;

int OSSL_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                       const OSSL_DISPATCH **out, void **provctx)
{
    struct tg_provider *provider = calloc(1, sizeof(*provider));

    if (provider == NULL)
        return 0;
    provider->core = handle;
    take(provider, in);
    failed = !inject(provider);
    if (failed) {
        free(provider);
        return 0;
    }
    atomic_store(&in_force, true);
    *provctx = provider;
    *out = functions;
    return 1;
}

/*
 * A provider that can't be loaded or fails is no error to OpenSSL: it goes on without. But a
 * configuration module is one, where config_diagnostics is set: so openssl.cnf names this
 * library a second time, as a module. libcrypto looks it up under a name that its own headers
 * give to another function, hence the label.
 */
TG_API conf_init_func require __asm__("OPENSSL_init");

int require(CONF_IMODULE *module, const CONF *config)
{
    bool refused = failed;

    (void)module, (void)config;
    failed = false;
    return atomic_load(&in_force) && !refused;
}
