/* certify.h - keys and certificates of a local CA. */
#ifndef TG_CERTIFY_H
#define TG_CERTIFY_H

#include "match.h"
#include "text.h"
#include <openssl/x509v3.h>

/* Who an identity is for: exact names, wildcards and addresses. Free `item`. */
struct tg_names {
    struct tg_pattern *item;
    size_t count;
};

/*
 * Reads COUNT WORDS as names of certificates (BLOCKS false), or as domains and blocks of
 * addresses that a CA is for. False after a complaint about the first that is wrong.
 */
bool tg_names_read(struct tg_names *names, char *const *words, size_t count, bool blocks);

/* Appends them as they stand in a policy, with SEPARATOR between. */
void tg_names_text(struct tg_buf *out, const struct tg_names *names, const char *separator);

/* Appends them as openssl-x509v3_config(5) has them: "DNS:a.example,IP:10.0.0.1". */
void tg_names_san(struct tg_buf *out, const struct tg_names *names);

/* A new private key: ECDSA with P-256, or RSA of 3072 bits. NULL: libcrypto can't. */
EVP_PKEY *tg_certify_key(bool rsa);

/*
 * A self-signed CA certificate for KEY (RFC 5280): it signs leaves alone (path length 0), and
 * speaks only for ONLY where that isn't empty. SUBJECT is its common name. NULL: libcrypto can't.
 */
X509 *tg_certify_root(EVP_PKEY *key, const char *subject, int days, const struct tg_names *only);

/* A server's certificate for KEY and NAMES, signed by ISSUER with ISSUER_KEY, whose end it never
 * outlives. NULL: libcrypto can't. */
X509 *tg_certify_leaf(EVP_PKEY *key, const struct tg_names *names, int days, X509 *issuer,
                      EVP_PKEY *issuer_key);

/* X509_V_OK if LEAF is good for a TLS server under ROOT, or what speaks against it. */
int tg_certify_check(X509 *leaf, X509 *root);

#endif
