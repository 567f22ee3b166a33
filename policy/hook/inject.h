/*
 * inject.h - how the two injectors, preload/ and provider/, get the hook into a libssl. They
 * add nothing to the decision: from here on the hook alone speaks with libssl.
 *
 * The hook installs itself by ex_data: a new_func for SSL_CTX gives each fresh context our
 * cert_verify_callback, and one for SSL gives each connection our info callback, the gate
 * that drops unknown sessions and catches what never came through the callback. BoringSSL
 * calls no new_func: there the preload shows each context and each connection.
 *
 * What is declared here stands in inject.c, and in setters.c what the application set and
 * does with its stores. These
 * functions are exported by libtrustgraft.so for the injectors beside it; they are no
 * public interface. All are safe in threads, preserve errno, and never end the process.
 */
#ifndef TG_INJECT_H
#define TG_INJECT_H

#include "source.h"
#include "symtab_program.h"
#include "trustgraft.h"
#include "view.h"
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum tg_injected {
    TG_INJECT_INERT,  /* no policy anywhere: nothing was touched */
    TG_INJECT_HOOKED, /* contexts made from now on are under the policy */
    TG_INJECT_FAILED  /* said on stderr why; the caller must not let TLS happen */
};

/*
 * Hooks the libssl in which SSL_CTX_NEW, its own SSL_CTX_new function, stands, and the
 * libcrypto that it uses, ours or another. Idempotent and cheap when called again for the same.
 */
TG_API TG_MUST_USE enum tg_injected tg_inject_libssl(void *ssl_ctx_new);

/*
 * Hooks the OpenSSL 3 in which LIBCRYPTO, a function of it, stands, before any libssl is known:
 * what OSSL_provider_init can do. POLICY is the policy of the provider's setting, an absolute
 * path, or NULL; PROBLEM, if not NULL, says what is wrong with the settings: every client
 * handshake is then refused with these words. The policy isn't read before the first context.
 * CONTEXT is the OSSL_LIB_CTX that the provider is loaded into; NULL: the default. To be called
 * for each: an application may make any of them the default of a thread.
 */
TG_API TG_MUST_USE enum tg_injected tg_inject_libcrypto(const void *libcrypto, const char *policy,
                                                        const char *problem, void *context);

/*
 * The next are for the preload, and name the libssl by its own SSL_CTX_new.
 *
 * A fresh CTX or SSL, to be shown as soon as it is made: BoringSSL calls no new_func, and
 * elsewhere it is seen whether the hook took hold. False: SSL must not be used.
 */
enum tg_inject_shown {
    TG_INJECT_UNUSABLE, /* CTX must not be used */
    TG_INJECT_USABLE,
    TG_INJECT_AGAIN /* CTX must not be used: another is to be made in its place, and shown */
};
TG_API TG_MUST_USE enum tg_inject_shown tg_inject_context(void *ssl_ctx_new, SSL_CTX *ctx);
TG_API TG_MUST_USE bool tg_inject_connection(void *ssl_ctx_new, SSL *ssl);

/*
 * The application called SSL_CTX_set_cert_verify_callback or SSL_set_info_callback: the hook's
 * callbacks stay in place and call the application's. False if CTX or SSL isn't hooked: call the
 * real function.
 */
TG_API TG_MUST_USE bool tg_inject_set_app_verify(void *ssl_ctx_new, SSL_CTX *ctx,
                                                 int (*callback)(X509_STORE_CTX *, void *),
                                                 void *arg);
TG_API TG_MUST_USE bool tg_inject_set_app_info(void *ssl_ctx_new, SSL *ssl,
                                               void (*callback)(const SSL *, int, int));
/* *CALLBACK is what the application set on SSL; false if SSL isn't hooked. */
TG_API TG_MUST_USE bool tg_inject_get_app_info(void *ssl_ctx_new, const SSL *ssl,
                                               void (**callback)(const SSL *, int, int));

/*
 * The application called BoringSSL's SSL_CTX_set_custom_verify, or SSL_set_custom_verify: the
 * one to call instead of CALLBACK, which is remembered. CALLBACK itself where nothing is hooked.
 */
typedef int tg_inject_custom_verify(SSL *ssl, uint8_t *alert);
TG_API tg_inject_custom_verify *tg_inject_set_ctx_custom(void *ssl_ctx_new, SSL_CTX *ctx,
                                                         tg_inject_custom_verify *callback);
TG_API tg_inject_custom_verify *tg_inject_set_custom(void *ssl_ctx_new, SSL *ssl,
                                                     tg_inject_custom_verify *callback);

/* SOCKETS has to stay where it is. */
TG_API void tg_inject_set_sockets(const struct tg_inject_sockets *sockets);

/*
 * What descriptor 2 was when the process began, of which the preload knows more than we: the
 * log goes there only while it is the same file. To be called before anything is logged.
 */
TG_API void tg_inject_set_stderr(dev_t device, ino_t inode);

/*
 * What was found when the process began, by the preload, which comes before we do. To be called
 * before a libssl is hooked; SOURCE stays for ever, and never changes.
 */
TG_API void tg_inject_set_source(const struct tg_policy_source *source);

/*
 * REAL, X509_STORE_new(3) of the application's OpenSSL 3, is about to be called, maybe before any
 * libssl was hooked: its stores are looked after from now on, where it is the libcrypto that this
 * engine is linked to. The policy isn't read before a file is loaded.
 */
TG_API void tg_inject_begin_stores(const void *real);

/*
 * What the application does with an X509_STORE, for which its bundles of CAs are decoded on demand
 * (attached.h). REAL is the function of its libcrypto that it called; only where these say so it is
 * to be called. What returns bool without another word has everything ready for that: false where
 * memory ran out, and the call must fail.
 */
struct tg_inject_stores {
    /* X509_STORE_load_file(3), which succeeded; false: call it. */
    bool (*load)(void *real, X509_STORE *store, const char *file);
    /* X509_LOOKUP_ctrl(3) for a file of TYPE, which succeeded; false: call it. */
    bool (*control)(void *real, X509_LOOKUP *lookup, int command, const char *file, long type);
    /* X509_load_cert_crl_file(3): how many; 0: call it. */
    int (*load_lookup)(void *real, X509_LOOKUP *lookup, const char *file, int type);
    /* X509_STORE_set_default_paths(3), which returned *RESULT; false: call it. */
    bool (*load_default)(void *real, X509_STORE *store, int *result);
    /* X509_STORE_add_cert(3), which returned *RESULT; false: call it. */
    bool (*add)(void *real, X509_STORE *store, X509 *certificate, int *result);
    /* LOOKUP is what X509_STORE_add_lookup(3) gave for METHOD. */
    void (*add_lookup)(void *real, X509_STORE *store, const X509_LOOKUP_METHOD *method,
                       X509_LOOKUP *lookup);
    /* Something looks into STORE, */
    bool (*look)(void *real, X509_STORE *store);
    /* or gets hold of its objects or hooks, or adds to it, or to LOOKUP's store, unseen, */
    bool (*reveal)(void *real, X509_STORE *store);
    bool (*look_up)(void *real, const X509_LOOKUP *lookup);
    /* or of all in CONTEXT's store, what is called NAME there, or has issued CERTIFICATE. */
    bool (*look_context)(void *real, const X509_STORE_CTX *context);
    bool (*look_name)(void *real, const X509_STORE_CTX *context, const X509_NAME *name);
    bool (*look_issuer)(void *real, const X509_STORE_CTX *context, const X509 *certificate);
    /* X509_STORE_CTX_init(3) is about to be called. */
    void (*use)(void *real, X509_STORE *store);
    /* What the application is shown of a context's hooks. */
    X509_STORE_CTX_get_issuer_fn (*show_get_issuer)(void *real, X509_STORE_CTX_get_issuer_fn found);
    X509_STORE_CTX_lookup_certs_fn (*show_lookup_certs)(void *real,
                                                        X509_STORE_CTX_lookup_certs_fn found);
};
TG_API const struct tg_inject_stores *tg_inject_stores(void);

/*
 * What the application asks its TLS library to say of an error: where the policy refused, the
 * answer has the reason (reason.h). PLAIN is the library's own.
 */
struct tg_inject_reasons {
    /* SSL_get_verify_result(3) gave CODE for SSL. */
    void (*result)(void *ssl_ctx_new, const SSL *ssl, long code);
    const char *(*verification)(long code, const char *plain);
    const char *(*error)(unsigned long code, const char *plain);
    const char *(*gnutls)(int code, const char *plain);
    const char *(*take)(unsigned long code);
    void (*read)(const char *data);
    /* It was given a code of something else than a connection. */
    void (*other)(void);
    /* It is about to ask of an error on the queue, by a function that is stood in for. */
    void (*asked)(void);
    /* Of a status of GnuTLS's: the reason alone, or NULL. */
    const char *(*status)(unsigned status);
    const char *(*nspr)(int code, const char *plain);
};
TG_API const struct tg_inject_reasons *tg_inject_reasons(void);

/*
 * Of the preload library: what a call from CALLER of NAME, a function of libcrypto that it stands
 * in for, reaches in the end; NULL: it stands in for none of that name.
 */
TG_API void *tg_preload_real(const char *name, const void *caller);

/* A function of libcrypto that the linked engine needs, and hardly any other library. */
#define TG_INJECT_RARE "OCSP_id_get0_info"

/*
 * For the command: the first function that the hook would miss of the OpenSSL of KIND that an
 * executable has inside, or of the LIBSSL alone; NULL: none. FROM is asked for each.
 */
TG_API const char *tg_inject_lacks(tg_has_function *has, const void *from, enum tg_symtab_kind kind,
                                   bool libssl);

/* An OpenSSL that the program has inside and doesn't export, as its .symtab tells of it. */
struct tg_inject_embedded {
    enum tg_symtab_state state;
    enum tg_symtab_kind kind;        /* where STATE is TG_SYMTAB_READ */
    void *(*find)(const char *name); /* a function of its own; NULL: it has none of that NAME */
};
TG_API void tg_inject_embedded(struct tg_inject_embedded *embedded);

/* Version of this private interface; the preload refuses a library with another. */
#define TG_INJECT_VERSION 11
TG_API int tg_inject_version(void);

/*
 * The engine exists twice: linked to libcrypto.so.3, and with a libcrypto of its own inside, for
 * processes that have none. One of them serves a process, all of it and to its end.
 *
 * These two functions are the second's alone (inside.c). Whoever has loaded one of them looks for
 * the other, and where the second is there, asks it which of them serves. LINKED: the first is
 * there as well, and is to, unless that was settled otherwise. Settled by the first call.
 */
#define TG_ENGINE_LINKED "libtrustgraft.so.0"
#define TG_ENGINE_INSIDE "libtrustgraft-inside.so.0"
TG_API TG_MUST_USE bool tg_inject_serves(bool linked);
/* Writes which libcrypto is inside to OUT, SIZE bytes: "OpenSSL 3.0.19 27 Jan 2026 (built on:
 * ...)". */
TG_API void tg_inject_inside(char *out, size_t size);

#endif
