/*
 * ssl.c - the interposed functions of libssl. They decide nothing: engine.c puts their libssl under
 * the policy first, and the hook in the engine takes each context and connection that they make,
 * and each callback that they set. What can't be put under the policy isn't made.
 */
#include "ssl.h"

struct tg_target tg_ssl_target(enum tg_symbol symbol, const void *caller)
{
    struct tg_target target = tg_resolve_ssl(symbol, caller);

    if (target.function == NULL || target.ssl_ctx_new == NULL)
        tg_engine_complain("can't tell which libssl is meant by", tg_symbol_name(symbol));
    return target;
}

/* The real function, once its libssl is under the policy; NULL where that can't be done. */
static struct tg_target guard(enum tg_symbol symbol, const void *caller)
{
    struct tg_target target = tg_ssl_target(symbol, caller);

    if (!tg_engine_protect(target.ssl_ctx_new))
        target.function = NULL;
    return target;
}

/*
 * True if another context is to be made in the place of *CTX. *CTX is freed, and NULL, then and
 * where the engine can't take it under the policy.
 */
static bool show_context(SSL_CTX **ctx, const struct tg_target *target, const void *caller)
{
    __typeof__(&SSL_CTX_free) release = NULL;
    struct tg_engine engine;
    enum tg_inject_shown shown;

    if (*ctx == NULL || !tg_engine_active(&engine))
        return false;
    shown = engine.context(target->ssl_ctx_new, *ctx);
    if (shown == TG_INJECT_USABLE)
        return false;
    release = tg_resolve_ssl(TG_SSL_CTX_FREE, caller).function;
    if (release != NULL)
        release(*ctx);
    *ctx = NULL;
    return shown == TG_INJECT_AGAIN;
}

TG_API SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
    struct tg_target target = guard(TG_SSL_CTX_NEW, CALLER);
    __typeof__(&SSL_CTX_new) real = target.function;
    SSL_CTX *ctx = NULL;

    do {
        ctx = real != NULL ? real(method) : NULL;
    } while (show_context(&ctx, &target, CALLER));
    return ctx;
}

TG_API SSL_CTX *SSL_CTX_new_ex(OSSL_LIB_CTX *library, const char *query, const SSL_METHOD *method)
{
    struct tg_target target = guard(TG_SSL_CTX_NEW_EX, CALLER);
    __typeof__(&SSL_CTX_new_ex) real = target.function;
    SSL_CTX *ctx = NULL;

    do {
        ctx = real != NULL ? real(library, query, method) : NULL;
    } while (show_context(&ctx, &target, CALLER));
    return ctx;
}

/*
 * A context may have been made before its libssl was hooked: its connections get the gate. From
 * OpenSSL 3.2 on the engine can set the gate only once the connection is made.
 */
TG_API SSL *SSL_new(SSL_CTX *ctx)
{
    struct tg_target target = guard(TG_SSL_NEW, CALLER);
    __typeof__(&SSL_new) real = target.function;
    __typeof__(&SSL_free) release = NULL;
    SSL *ssl = real != NULL ? real(ctx) : NULL;
    struct tg_engine engine;

    if (ssl == NULL || !tg_engine_active(&engine) || engine.connection(target.ssl_ctx_new, ssl))
        return ssl;
    release = tg_resolve_ssl(TG_SSL_FREE, CALLER).function;
    if (release != NULL)
        release(ssl);
    return NULL;
}

/* The setters of callbacks that the hook has set: its own stay, and call the application's. */

TG_API void SSL_CTX_set_cert_verify_callback(SSL_CTX *ctx,
                                             int (*callback)(X509_STORE_CTX *, void *), void *arg)
{
    struct tg_target target = tg_ssl_target(TG_SSL_CTX_SET_CERT_VERIFY_CALLBACK, CALLER);
    __typeof__(&SSL_CTX_set_cert_verify_callback) real = target.function;
    struct tg_engine engine;

    if (tg_engine_active(&engine) && engine.set_app_verify(target.ssl_ctx_new, ctx, callback, arg))
        return;
    if (real != NULL)
        real(ctx, callback, arg);
}

TG_API void SSL_set_info_callback(SSL *ssl, void (*callback)(const SSL *, int, int))
{
    struct tg_target target = tg_ssl_target(TG_SSL_SET_INFO_CALLBACK, CALLER);
    __typeof__(&SSL_set_info_callback) real = target.function;
    struct tg_engine engine;

    if (tg_engine_active(&engine) && engine.set_app_info(target.ssl_ctx_new, ssl, callback))
        return;
    if (real != NULL)
        real(ssl, callback);
}

TG_API void (*SSL_get_info_callback(const SSL *ssl))(const SSL *, int, int)
{
    struct tg_target target = tg_ssl_target(TG_SSL_GET_INFO_CALLBACK, CALLER);
    __typeof__(&SSL_get_info_callback) real = target.function;
    struct tg_engine engine;
    void (*callback)(const SSL *, int, int) = NULL;

    if (tg_engine_active(&engine) && engine.get_app_info(target.ssl_ctx_new, ssl, &callback))
        return callback;
    return real != NULL ? real(ssl) : NULL;
}
