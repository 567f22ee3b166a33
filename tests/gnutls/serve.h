/* serve.h - a server of GnuTLS in a thread of this process, for one program's client. */
#ifndef TEST_GNUTLS_SERVE_H
#define TEST_GNUTLS_SERVE_H

#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdbool.h>

struct serve {
    const char *pki, *leaf, *priority;
    const char *staple; /* the name of an answer in the PKI, or NULL */
    const char *again;  /* a TLS 1.2 server renegotiates, and shows this leaf; or NULL */
    bool datagrams, raw, psk, early;
    bool decoy;             /* before its issuer it sends another of nearly the same name */
    gnutls_datum_t tickets; /* the key of its tickets; empty: none */
    int connections;        /* how many it serves before it ends */
};

/* A self-signed certificate like that of PKI's NAME, but for the key; CAPITALS: and for those in
 * its subject. */
gnutls_x509_crt_t serve_namesake(const char *pki, const char *name, bool capitals);

/* Serves in the background; the port. Ends the program where that can't be done. */
int serve(struct serve *what);

/* The bytes of data that it got from its clients, early ones too. */
extern atomic_int serve_got;

#endif
