/*
 * boringssl.c - the functions that only BoringSSL has (its include/openssl/ssl.h, "Certificate
 * verification"): an application's own verification would stand before the policy's, and is put
 * behind it. Programs of other TLS libraries meet these two names as well, and never call them.
 */
#include "ssl.h"

TG_API void SSL_CTX_set_custom_verify(SSL_CTX *ctx, int mode, tg_inject_custom_verify *callback);
TG_API void SSL_set_custom_verify(SSL *ssl, int mode, tg_inject_custom_verify *callback);

TG_API void SSL_CTX_set_custom_verify(SSL_CTX *ctx, int mode, tg_inject_custom_verify *callback)
{
    struct tg_target target = tg_ssl_target(TG_SSL_CTX_SET_CUSTOM_VERIFY, CALLER);
    __typeof__(&SSL_CTX_set_custom_verify) real = target.function;
    struct tg_engine engine;

    if (tg_engine_active(&engine))
        // cppcheck-suppress AssignmentIntegerToAddress
        callback = engine.set_ctx_custom(target.ssl_ctx_new, ctx, callback);
    if (real != NULL)
        real(ctx, mode, callback);
}

TG_API void SSL_set_custom_verify(SSL *ssl, int mode, tg_inject_custom_verify *callback)
{
    struct tg_target target = tg_ssl_target(TG_SSL_SET_CUSTOM_VERIFY, CALLER);
    __typeof__(&SSL_set_custom_verify) real = target.function;
    struct tg_engine engine;

    if (tg_engine_active(&engine))
        // cppcheck-suppress AssignmentIntegerToAddress
        callback = engine.set_custom(target.ssl_ctx_new, ssl, callback);
    if (real != NULL)
        real(ssl, mode, callback);
}
