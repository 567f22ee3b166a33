/*
 * query.h - the question put to the engine: one server, and what is known of its connection. What
 * isn't known is said to be unknown, never guessed.
 */
#ifndef TG_QUERY_H
#define TG_QUERY_H

#include "hash.h"
#include <openssl/x509_vfy.h>

/* One server to evaluate. Everything is borrowed for the call. */
struct tg_query {
    const char *host;           /* reference name, DNS or IP literal; NULL: unknown */
    unsigned port;              /* 0: unknown */
    const char *program;        /* absolute path of the executable; NULL: unknown */
    const char *unknown;        /* why host or port isn't known, half a sentence; NULL: no reason */
    X509 *leaf;                 /* NULL: the server presented no certificate */
    const uint8_t *leaf_digest; /* SHA-256 of its DER, where the caller has it; NULL: not yet */
    STACK_OF(X509) *sent;       /* what came with it, in any order, leaf or not; NULL: nothing */
    /*
     * What the application itself would verify with: its anchors are found through the
     * context's lookup_certs, its flags, CRLs and time through its param and store. Never
     * verified itself. NULL: an application without anchors.
     */
    X509_STORE_CTX *app;
    time_t now;        /* 0: the clock's */
    uint64_t forgiven; /* finding bits forgiven for this leaf besides the policy's exceptions */
    int tls_version;   /* as SSL_version(3); 0: unknown */
    const unsigned char *staple; /* DER of the stapled OCSP answer; NULL: none */
    size_t staple_length;
    bool staple_pending; /* it is still to come: not to be missed now (TLS 1.2) */
    int security_level;  /* as SSL_get_security_level(3); -1: libcrypto's own default */
};

/* What the application asks X509_verify_cert(3) for; NULL where it has no context. */
X509_VERIFY_PARAM *tg_query_param(const struct tg_query *query);

/* The X509_CHECK_FLAG_* of the application; 0 where it has no context. */
unsigned tg_query_host_flags(const struct tg_query *query);

/* True, and *WHEN, if the application set a time to verify at. */
bool tg_query_verify_time(const struct tg_query *query, time_t *when);

#endif
