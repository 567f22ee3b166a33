/*
 * unreached.h - the TLS libraries that trustgraft doesn't reach, known by the names that they are
 * linked by. The one list of them: what `trustgraft run` refuses, `doctor` tells and the preload
 * library warns of. A library that becomes reached leaves it.
 */
#ifndef TG_UNREACHED_H
#define TG_UNREACHED_H

#include <stddef.h>
#include <string.h>

static const struct {
    const char *prefix, *name; /* each prefix begins with "lib" */
} tg_unreached[] = {
    {"libmbedtls.so", "Mbed TLS"},    {"libwolfssl.so", "wolfSSL"}, {"libs2n.so", "s2n-tls"},
    {"librustls.so", "rustls"},       {"libjli.so", "Java's JSSE"}, {"libbearssl.so", "BearSSL"},
    {"libmatrixssl.so", "MatrixSSL"},
};

enum { TG_UNREACHED = sizeof(tg_unreached) / sizeof(tg_unreached[0]) };

/* The place in the list of the library of the file name NAME ("libgnutls.so.30"); -1: none. */
static inline int tg_unreached_find(const char *name)
{
    for (int i = 0; i < TG_UNREACHED && strncmp(name, "lib", 3) == 0; i++)
        if (name[3] == tg_unreached[i].prefix[3] &&
            strncmp(name, tg_unreached[i].prefix, strlen(tg_unreached[i].prefix)) == 0)
            return i;
    return -1;
}

#endif
