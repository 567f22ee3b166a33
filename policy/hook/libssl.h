/*
 * libssl.h - the functions of one libssl, found rather than linked: a process may have it
 * loaded locally (CPython), inside its executable (Node), or more than once.
 */
#ifndef TG_LIBSSL_H
#define TG_LIBSSL_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* X(result, name, (parameters)): every function that the hook calls in libssl. */
#define TG_LIBSSL_FUNCTIONS(X)                                                                     \
    X(void, SSL_CTX_set_cert_verify_callback,                                                      \
      (SSL_CTX *, int (*)(X509_STORE_CTX *, void *), void *))                                      \
    X(void *, SSL_CTX_get_ex_data, (const SSL_CTX *, int))                                         \
    X(const SSL_METHOD *, SSL_CTX_get_ssl_method, (const SSL_CTX *))                               \
    X(X509_STORE *, SSL_CTX_get_cert_store, (const SSL_CTX *))                                     \
    X(tg_info_callback *, SSL_CTX_get_info_callback, (SSL_CTX *))                                  \
    X(void, SSL_CTX_set_info_callback, (SSL_CTX *, tg_info_callback *))                            \
    X(int, SSL_CTX_add_custom_ext,                                                                 \
      (SSL_CTX *, unsigned, unsigned, SSL_custom_ext_add_cb_ex, SSL_custom_ext_free_cb_ex, void *, \
       SSL_custom_ext_parse_cb_ex, void *))                                                        \
    X(void *, SSL_get_ex_data, (const SSL *, int))                                                 \
    X(int, SSL_get_ex_data_X509_STORE_CTX_idx, (void))                                             \
    X(SSL_CTX *, SSL_get_SSL_CTX, (const SSL *))                                                   \
    X(int, SSL_is_server, (const SSL *))                                                           \
    X(int, SSL_is_init_finished, (const SSL *))                                                    \
    X(size_t, SSL_get_finished, (const SSL *, void *, size_t))                                     \
    X(long, SSL_CTX_ctrl, (SSL_CTX *, int, long, void *))                                          \
    X(long, SSL_CTX_callback_ctrl, (SSL_CTX *, int, void (*)(void)))                               \
    X(const char *, SSL_get_servername, (const SSL *, int))                                        \
    X(X509_VERIFY_PARAM *, SSL_get0_param, (SSL *))                                                \
    X(int, SSL_version, (const SSL *))                                                             \
    X(long, SSL_ctrl, (SSL *, int, long, void *))                                                  \
    X(void, SSL_set_security_level, (SSL *, int))                                                  \
    X(int, SSL_get_security_level, (const SSL *))                                                  \
    X(int, SSL_get_fd, (const SSL *))                                                              \
    X(int, SSL_get_verify_mode, (const SSL *))                                                     \
    X(SSL_verify_cb, SSL_get_verify_callback, (const SSL *))                                       \
    X(void, SSL_set_verify, (SSL *, int, SSL_verify_cb))                                           \
    X(void, SSL_set_verify_result, (SSL *, long))                                                  \
    X(void, SSL_set_info_callback, (SSL *, tg_info_callback *))                                    \
    X(tg_info_callback *, SSL_get_info_callback, (const SSL *))                                    \
    X(SSL_SESSION *, SSL_get_session, (const SSL *))                                               \
    X(int, SSL_set_session, (SSL *, SSL_SESSION *))                                                \
    X(int, SSL_session_reused, (const SSL *))                                                      \
    X(int, SSL_SESSION_is_resumable, (const SSL_SESSION *))                                        \
    X(int, SSL_SESSION_get_protocol_version, (const SSL_SESSION *))                                \
    X(uint32_t, SSL_SESSION_get_max_early_data, (const SSL_SESSION *))                             \
    X(long, SSL_SESSION_set_time, (SSL_SESSION *, long))                                           \
    X(X509 *, SSL_SESSION_get0_peer, (SSL_SESSION *))                                              \
    X(STACK_OF(X509) *, SSL_get_peer_cert_chain, (const SSL *))                                    \
    X(BIO *, SSL_get_rbio, (const SSL *))                                                          \
    X(BIO *, SSL_get_wbio, (const SSL *))                                                          \
    X(void, SSL_set_shutdown, (SSL *, int))

typedef void tg_info_callback(const SSL *, int, int);

struct tg_libssl {
#define MEMBER(result, name, parameters) result(*name) parameters;
    TG_LIBSSL_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* What tells the object that ADDRESS lies in from others; NULL: none. */
const void *tg_libssl_object(const void *address);

/*
 * Finds the functions in the object that holds ADDRESS. False, with
 * *MISSING the first that isn't there, or NULL where the object itself wasn't found or works
 * on another libcrypto than this library is bound to.
 */
bool tg_libssl_at(const void *address, struct tg_libssl *libssl, const char **missing);

/*
 * The same for whichever loaded libssl works on the libcrypto that this library is bound to;
 * for callers that don't know more than that.
 */
bool tg_libssl_any(struct tg_libssl *libssl, const char **missing);

#endif
