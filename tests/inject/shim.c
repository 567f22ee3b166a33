/* shim.c - somebody else's preloaded library that stands in front of libssl, as key loggers do. */
#include <dlfcn.h>
#include <openssl/ssl.h>

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
    __typeof__(&SSL_CTX_new) next = dlsym(RTLD_NEXT, "SSL_CTX_new");

    return next != NULL ? next(method) : NULL;
}

SSL *SSL_new(SSL_CTX *ctx)
{
    __typeof__(&SSL_new) next = dlsym(RTLD_NEXT, "SSL_new");

    return next != NULL ? next(ctx) : NULL;
}
