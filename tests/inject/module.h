/* module.h - a shared library that uses TLS, for a program that knows nothing of it. */
#ifndef MODULE_H
#define MODULE_H

#include <openssl/ssl.h>

/* What a module exports as `module`. */
struct module {
    /* One connection, by the word that says what became of it. */
    const char *(*connect)(const char *pki, int trusting);
    /* A context by a tail call: the return address that SSL_CTX_new sees is the program's. */
    SSL_CTX *(*passed_on)(const SSL_METHOD *method);
    /* The same as `connect` with a context from `passed_on`; frees CTX. */
    const char *(*connect_with)(SSL_CTX *ctx, const char *pki, int trusting);
    const SSL_METHOD *(*method)(void);
};

#endif
