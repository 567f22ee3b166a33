/* provider.h - what the parts of the OpenSSL provider share. */
#ifndef TG_PROVIDER_H
#define TG_PROVIDER_H

#include "trustgraft.h"
#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <stdbool.h>

/* The provider context: one for each OSSL_LIB_CTX that it is loaded into. */
struct tg_provider {
    const OSSL_CORE_HANDLE *core;
    OSSL_FUNC_core_get_params_fn *get_params;
    OSSL_FUNC_core_get_libctx_fn *get_library;
    OSSL_FUNC_core_new_error_fn *new_error;
    OSSL_FUNC_core_vset_error_fn *vset_error;
};

/* The reasons on OpenSSL's error queue; their sentences are in error.c. */
enum tg_reason {
    TG_REASON_INJECT = 1,
    TG_REASON_URI,
    TG_REASON_NO_POLICY,
    TG_REASON_POLICY_INVALID,
    TG_REASON_NO_RULE,
    TG_REASON_AMBIGUOUS,
    TG_REASON_ACTION,
    TG_REASON_NO_ANCHORS,
    TG_REASON_MEMORY
};

/* Puts REASON on the error queue, with details after FORMAT (NULL: none). */
__attribute__((format(printf, 3, 4))) void tg_provider_error(const struct tg_provider *provider,
                                                             enum tg_reason reason,
                                                             const char *format, ...);
OSSL_FUNC_provider_get_reason_strings_fn tg_provider_reasons;

/* What stands in the provider's section of openssl.cnf. */
struct tg_settings {
    const char *policy;  /* an absolute path, OpenSSL's own; NULL: not set */
    const char *problem; /* a sentence, static; NULL: all is well */
};
void tg_settings_read(const struct tg_provider *provider, struct tg_settings *settings);

/* OSSL_OP_STORE: the loader for URIs of the scheme "trustgraft". */
extern const OSSL_ALGORITHM tg_store_loaders[];

#endif
