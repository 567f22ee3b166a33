/*
 * hook.h - the verify callback, between libssl and the engine: an X509_STORE_CTX or a connection
 * becomes a query, and a verdict what the application expects. No error ends in acceptance.
 */
#ifndef TG_HOOK_H
#define TG_HOOK_H

#include "state.h"

/*
 * The verify callback of every hooked context; ARG is the struct tg_hooked. Returns what
 * SSL_CTX_set_cert_verify_callback(3) asks for: 1 to go on, else the handshake fails.
 */
int tg_hook_verify(X509_STORE_CTX *context, void *arg);

/* The same, called by the application, under POLICY or that of the process where it is NULL. */
int tg_hook_verify_under(const struct tg_hooked *hooked, X509_STORE_CTX *context,
                         const tg_policy *policy);

/* The same where there was no memory to hook a context: refuses every server. */
int tg_hook_refuse(X509_STORE_CTX *context, void *arg);

/*
 * The same for an application that verifies by itself in BoringSSL, where it calls no
 * X509_STORE_CTX into being: the outcome is a TG_CUSTOM_*, *ALERT is what is sent on refusal.
 */
int tg_hook_verify_custom(const struct tg_hooked *hooked, SSL *ssl, uint8_t *alert);

#endif
