/* certify.h - keys and certificates of a local CA. */
#ifndef TG_CERTIFY_H
#define TG_CERTIFY_H

#include "altnames.h"
#include "trustgraft.h"
#include <openssl/x509v3.h>

/* A new private key: ECDSA with P-256, or RSA of 3072 bits. NULL: libcrypto can't. */
TG_MUST_USE EVP_PKEY *tg_certify_key(bool rsa);

/*
 * A self-signed CA certificate for KEY (RFC 5280): it signs leaves alone (path length 0), and
 * speaks only for ONLY where that isn't empty. SUBJECT is its common name. NULL: libcrypto can't.
 */
TG_MUST_USE X509 *tg_certify_root(EVP_PKEY *key, const char *subject, int days,
                                  const struct tg_altnames *only);

/* A server's or CLIENT's certificate for KEY, of which the public half is enough, and NAMES, signed
 * by ISSUER with ISSUER_KEY, whose end it never outlives. NULL: libcrypto can't. */
TG_MUST_USE X509 *tg_certify_leaf(EVP_PKEY *key, const struct tg_altnames *names, bool client,
                                  int days, X509 *issuer, EVP_PKEY *issuer_key);

/* True if ROOT signed CERTIFICATE, whatever its dates and names. */
TG_MUST_USE bool tg_certify_signed(X509 *certificate, X509 *root);

/* X509_V_OK if LEAF is good for a TLS server, or CLIENT, under ROOT; or what speaks against it. */
int tg_certify_check(X509 *leaf, X509 *root, bool client);

#endif
