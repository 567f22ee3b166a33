/* ssl.c - the interposed functions of libssl: thin, with the decisions behind them. */
#include "engine.h"
#include "resolve.h"

/* Where our caller goes on: it tells which libssl was meant. */
#define CALLER __builtin_return_address(0)

static struct tg_target resolve(enum tg_symbol symbol, const void *caller)
{
    struct tg_target target = tg_resolve_ssl(symbol, caller);

    if (target.function == NULL || target.ssl_ctx_new == NULL)
        tg_engine_complain("can't tell which libssl is meant by", tg_symbol_name(symbol));
    return target;
}

/* The real function, once its libssl is under the policy; NULL where that can't be done. */
static void *guard(enum tg_symbol symbol, const void *caller)
{
    struct tg_target target = resolve(symbol, caller);

    return tg_engine_protect(target.ssl_ctx_new) ? target.function : NULL;
}

TG_API SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
    __typeof__(&SSL_CTX_new) real = guard(TG_SSL_CTX_NEW, CALLER);

    return real != NULL ? real(method) : NULL;
}

TG_API SSL_CTX *SSL_CTX_new_ex(OSSL_LIB_CTX *library, const char *query, const SSL_METHOD *method)
{
    __typeof__(&SSL_CTX_new_ex) real = guard(TG_SSL_CTX_NEW_EX, CALLER);

    return real != NULL ? real(library, query, method) : NULL;
}

/*
 * A context may be older than our first sight of its libssl: its connections get the gate. From
 * OpenSSL 3.2 on that takes a call once they are made; no callback is what they have anyway.
 */
TG_API SSL *SSL_new(SSL_CTX *ctx)
{
    __typeof__(&SSL_new) real = guard(TG_SSL_NEW, CALLER);
    SSL *ssl = real != NULL ? real(ctx) : NULL;
    struct tg_engine engine;

    if (ssl != NULL && tg_engine_active(&engine))
        (void)engine.set_app_info(ssl, NULL);
    return ssl;
}

/* The setters of what the hook has set: it keeps its place and calls the application's. */

TG_API void SSL_CTX_set_cert_verify_callback(SSL_CTX *ctx,
                                             int (*callback)(X509_STORE_CTX *, void *), void *arg)
{
    struct tg_engine engine;

    if (tg_engine_active(&engine) && engine.set_app_verify(ctx, callback, arg))
        return;
    __typeof__(&SSL_CTX_set_cert_verify_callback) real =
        resolve(TG_SSL_CTX_SET_CERT_VERIFY_CALLBACK, CALLER).function;
    if (real != NULL)
        real(ctx, callback, arg);
}

TG_API void SSL_set_info_callback(SSL *ssl, void (*callback)(const SSL *, int, int))
{
    struct tg_engine engine;

    if (tg_engine_active(&engine) && engine.set_app_info(ssl, callback))
        return;
    __typeof__(&SSL_set_info_callback) real = resolve(TG_SSL_SET_INFO_CALLBACK, CALLER).function;
    if (real != NULL)
        real(ssl, callback);
}

TG_API void (*SSL_get_info_callback(const SSL *ssl))(const SSL *, int, int)
{
    struct tg_engine engine;
    void (*callback)(const SSL *, int, int) = NULL;

    if (tg_engine_active(&engine) && engine.get_app_info(ssl, &callback))
        return callback;
    __typeof__(&SSL_get_info_callback) real = resolve(TG_SSL_GET_INFO_CALLBACK, CALLER).function;
    return real != NULL ? real(ssl) : NULL;
}
