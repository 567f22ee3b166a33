/* pki.h - reads the test PKI that certs/make-pki made; for tests alone: it aborts on errors. */
#ifndef TG_TEST_PKI_H
#define TG_TEST_PKI_H

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* TG_PKI/NAME, in one of a few static buffers. */
static inline const char *pki_path(const char *name)
{
    static char paths[4][4096];
    static unsigned at;
    const char *directory = getenv("TG_PKI");
    char *path = paths[at++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory != NULL ? directory : "build/pki", name);
    return path;
}

/* Every certificate of TG_PKI/NAME.SUFFIX. */
static inline STACK_OF(X509) *pki_stack(const char *name, const char *suffix)
{
    STACK_OF(X509) *certificates = sk_X509_new_null();
    char file[256];
    X509 *certificate = NULL;
    FILE *in = NULL;

    snprintf(file, sizeof(file), "%s.%s", name, suffix);
    in = fopen(pki_path(file), "re");
    if (in == NULL) {
        perror(pki_path(file));
        abort();
    }
    while ((certificate = PEM_read_X509(in, NULL, NULL, NULL)) != NULL)
        if (!sk_X509_push(certificates, certificate))
            abort();
    fclose(in);
    return certificates;
}

/* What a server with the leaf NAME sends, leaf first. */
static inline STACK_OF(X509) *pki_chain(const char *name)
{
    return pki_stack(name, "chain.pem");
}

/* The certificates called NAMES (the last is NULL). */
static inline STACK_OF(X509) *pki_certificates(const char *name, ...)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    va_list names;

    va_start(names, name);
    for (; name != NULL; name = va_arg(names, const char *)) {
        STACK_OF(X509) *one = pki_stack(name, "pem");

        if (sk_X509_num(one) != 1 || !sk_X509_push(all, sk_X509_pop(one)))
            abort();
        sk_X509_free(one);
    }
    va_end(names);
    return all;
}

static inline void pki_free(STACK_OF(X509) *certificates)
{
    sk_X509_pop_free(certificates, X509_free);
}

#endif
