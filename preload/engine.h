/*
 * engine.h - libtrustgraft.so, which isn't in the process before the first SSL_CTX is: loaded when
 * TLS begins, and asked to put the libssl at hand under the policy. Where that can't be done there
 * is no TLS.
 */
#ifndef TG_ENGINE_H
#define TG_ENGINE_H

#include "gnutls_api.h"
#include "nss_api.h"
#include <link.h>
#include <stdbool.h>
#include <sys/stat.h>

/* What is called in libtrustgraft.so: the functions tg_inject_* of inject.h. */
#define TG_ENGINE_FUNCTIONS(X)                                                                     \
    X(version)                                                                                     \
    X(libssl)                                                                                      \
    X(gnutls)                                                                                      \
    X(nss)                                                                                         \
    X(context)                                                                                     \
    X(connection)                                                                                  \
    X(set_app_verify)                                                                              \
    X(set_app_info)                                                                                \
    X(get_app_info)                                                                                \
    X(set_ctx_custom)                                                                              \
    X(set_custom)                                                                                  \
    X(set_sockets)                                                                                 \
    X(set_stderr)                                                                                  \
    X(set_source)                                                                                  \
    X(begin_stores)                                                                                \
    X(stores)                                                                                      \
    X(reasons)                                                                                     \
    X(embedded)

#define TG_ENGINE_FIELD(name) __typeof__(&tg_inject_##name) name;
struct tg_engine {
    TG_ENGINE_FUNCTIONS(TG_ENGINE_FIELD)
};
#undef TG_ENGINE_FIELD

/*
 * To be called as the process begins: looks what its stderr is, before it can be another file, and
 * where its policy is, before that can get out of sight. Without a policy nothing will ever be
 * loaded; with a policy the engine is loaded now if the program is linked to a libssl, as the
 * engine's file may be out of sight later.
 */
void tg_engine_begin(void);

/* Where the policy was as the process began; to be called after tg_engine_begin. */
const struct tg_policy_source *tg_engine_source(void);

/* True if STATUS, of descriptor 2, is that of the file it was as the process began. */
bool tg_engine_is_stderr(const struct stat *status);

/*
 * Puts the libssl of SSL_CTX_NEW, its own function of that name, under the policy. False if
 * there is a policy, or might be, and that can't be done: then no TLS may happen; stderr told why
 * the first time. True at once where no policy is. Preserves errno.
 */
TG_MUST_USE bool tg_engine_protect(void *ssl_ctx_new);

/* What a libgnutls has under a policy; LIBRARY is NULL where it isn't. */
struct tg_engine_gnutls {
    const struct tg_gnutls *library;
    const struct tg_gnutls_hook *hook;
};

/* The same for the libgnutls that FUNCTION, one of its own, is in, and what it has then. */
TG_MUST_USE bool tg_engine_protect_gnutls(void *function, struct tg_engine_gnutls *gnutls);

/* The same where some TLS of this process is under a policy by now. False, too, where it isn't. */
TG_MUST_USE bool tg_engine_gnutls(void *function, struct tg_engine_gnutls *gnutls);

/* Likewise of a libssl3. */
struct tg_engine_nss {
    const struct tg_nss *library;
    const struct tg_nss_hook *hook;
};

/* As the two before. */
TG_MUST_USE bool tg_engine_protect_nss(void *function, struct tg_engine_nss *nss);
TG_MUST_USE bool tg_engine_nss(void *function, struct tg_engine_nss *nss);

/* What NSS has under a policy, whichever it is; NULL where none is by now. */
const struct tg_nss_hook *tg_engine_nss_hook(void);

/* The object that the engine is; NULL: it isn't loaded. */
const struct link_map *tg_engine_object(void);

/* What the program has inside and doesn't export; false: the engine can't be loaded. */
TG_MUST_USE bool tg_engine_embedded(struct tg_inject_embedded *embedded);

/* Fills *ENGINE once a libssl is under a policy; false before, and where no policy is. */
TG_MUST_USE bool tg_engine_active(struct tg_engine *engine);

/*
 * A store is about to be made by FUNCTION, of the libcrypto OBJECT: from now on its stores are
 * looked after, where a policy is. Preserves errno.
 */
void tg_engine_begin_stores(void *function, const struct link_map *object);

/* What it does with the application's stores; NULL where none are looked after. */
const struct tg_inject_stores *tg_engine_stores(void);

/* True once it is settled that no policy is, nor ever will be. */
TG_MUST_USE bool tg_engine_inert(void);

/* One line on stderr, the first time only. DETAIL may be NULL. */
void tg_engine_complain(const char *what, const char *detail);

#endif
