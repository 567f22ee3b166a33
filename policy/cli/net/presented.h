/* presented.h - what a TLS server shows of itself, be it by a connection or out of a file. */
#ifndef TG_PRESENTED_H
#define TG_PRESENTED_H

#include <netinet/in.h>
#include <openssl/x509.h>
#include <stddef.h>

#define TG_PEER_SIZE (INET6_ADDRSTRLEN + 16)

/* Zero-initialise; tg_presented_clear it. */
struct tg_presented {
    STACK_OF(X509) *chain; /* the leaf first */
    unsigned char *staple; /* malloc'd; NULL: none */
    size_t staple_length;
    int tls_version; /* as SSL_version(3) */
    char
        peer[TG_PEER_SIZE]; /* where the connection led, "127.0.0.1 port 443"; "": there was none */
};

void tg_presented_clear(struct tg_presented *presented);

#endif
