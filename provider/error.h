/* error.h - why the provider couldn't do what it was asked, on OpenSSL's error queue. */
#ifndef TG_ERROR_H
#define TG_ERROR_H

#include "provider.h"

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

#endif
