/* engine.h - libtrustgraft.so, which isn't in the process before the first SSL_CTX is. */
#ifndef TG_ENGINE_H
#define TG_ENGINE_H

#include "inject.h"
#include <stdbool.h>
#include <sys/stat.h>

/* OpenSSL_version_num(3) of the first version that the engine can work with. */
#define TG_OPENSSL_3 0x30000000ul

/* What we call in libtrustgraft.so: inject.h. */
struct tg_engine {
    int (*version)(void);
    enum tg_injected (*libssl)(void *ssl_ctx_new);
    int (*context)(void *ssl_ctx_new, SSL_CTX *ctx);
    int (*connection)(void *ssl_ctx_new, SSL *ssl);
    int (*set_app_verify)(void *ssl_ctx_new, SSL_CTX *ctx,
                          int (*callback)(X509_STORE_CTX *, void *), void *arg);
    int (*set_app_info)(void *ssl_ctx_new, SSL *ssl, void (*callback)(const SSL *, int, int));
    int (*get_app_info)(void *ssl_ctx_new, const SSL *ssl,
                        void (**callback)(const SSL *, int, int));
    tg_inject_custom_verify *(*set_ctx_custom)(void *ssl_ctx_new, SSL_CTX *ctx,
                                               tg_inject_custom_verify *callback);
    tg_inject_custom_verify *(*set_custom)(void *ssl_ctx_new, SSL *ssl,
                                           tg_inject_custom_verify *callback);
    void (*set_sockets)(const struct tg_inject_sockets *sockets);
    void (*set_stderr)(dev_t device, ino_t inode);
    void (*set_source)(const struct tg_policy_source *source);
};

/*
 * To be called as the process begins: what its stderr is, before it can be another file, and where
 * its policy is, before that can get out of sight. Without one, nothing will ever be loaded;
 * with one, the engine is loaded now if the program is linked to a libssl, as it may be out of
 * sight later.
 */
void tg_engine_begin(void);

/* Where the policy was as the process began; for who comes after tg_engine_begin. */
const struct tg_policy_source *tg_engine_source(void);

/* True if STATUS, of descriptor 2, is that of what it was then. */
bool tg_engine_is_stderr(const struct stat *status);

/*
 * Puts the libssl of SSL_CTX_NEW, its own function of that name, under the policy. False if
 * there is a policy, or might be, and that can't be done: then no TLS may happen; the first
 * time it was said on stderr why. True at once where no policy is. Preserves errno.
 */
bool tg_engine_protect(void *ssl_ctx_new);

/* Fills *ENGINE once a libssl is under a policy; false before, and where no policy is. */
bool tg_engine_active(struct tg_engine *engine);

/* One line on stderr, the first time only. DETAIL may be NULL. */
void tg_engine_complain(const char *what, const char *detail);

#endif
