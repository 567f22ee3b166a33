/* early.c - a library that makes its SSL_CTX in a constructor. */
#include <openssl/ssl.h>

SSL_CTX *early_context(void);

static SSL_CTX *context;

__attribute__((constructor)) static void start(void)
{
    context = SSL_CTX_new(TLS_client_method());
}

SSL_CTX *early_context(void)
{
    return context;
}
