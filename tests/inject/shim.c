/*
 * shim.c - somebody else's preloaded library that stands in front of libssl, as key loggers do,
 * and of dlopen, as the sanitizers do.
 */
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

int opened;

void *dlopen(const char *name, int mode)
{
    __typeof__(&dlopen) next = dlsym(RTLD_NEXT, "dlopen");
    void *object = next != NULL ? next(name, mode) : NULL;

    opened++; /* so that the call above is none that passes its caller's address on */
    return object;
}
