/*
 * provider.h - the provider context: the handle of the library context that it is loaded into, and
 * what that libcrypto offers to a provider.
 */
#ifndef TG_PROVIDER_H
#define TG_PROVIDER_H

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

/* The provider context: one for each OSSL_LIB_CTX that it is loaded into. */
struct tg_provider {
    const OSSL_CORE_HANDLE *core;
    OSSL_FUNC_core_get_params_fn *get_params;
    OSSL_FUNC_core_get_libctx_fn *get_library;
    OSSL_FUNC_core_new_error_fn *new_error;
    OSSL_FUNC_core_vset_error_fn *vset_error;
};

#endif
