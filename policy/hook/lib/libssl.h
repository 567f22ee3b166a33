/* libssl.h - the functions of one libssl. */
#ifndef TG_LIBSSL_H
#define TG_LIBSSL_H

#include "backend.h"
#include <openssl/ssl.h>

/* X(result, name, (parameters)): every function that the hook calls in libssl. */
#define TG_LIBSSL_FUNCTIONS(X)                                                                     \
    X(TG_KIND_ANY, void, SSL_CTX_set_cert_verify_callback,                                         \
      (SSL_CTX *, int (*)(X509_STORE_CTX *, void *), void *))                                      \
    X(TG_KIND_ANY, void *, SSL_CTX_get_ex_data, (const SSL_CTX *, int))                            \
    X(TG_KIND_OPENSSL, const SSL_METHOD *, SSL_CTX_get_ssl_method, (const SSL_CTX *))              \
    X(TG_KIND_ANY, X509_STORE *, SSL_CTX_get_cert_store, (const SSL_CTX *))                        \
    X(TG_KIND_ANY, tg_info_callback *, SSL_CTX_get_info_callback, (SSL_CTX *))                     \
    X(TG_KIND_OPENSSL, void, SSL_CTX_set_info_callback, (SSL_CTX *, tg_info_callback *))           \
    X(TG_KIND_OPENSSL, long, SSL_CTX_ctrl, (SSL_CTX *, int, long, void *))                         \
    X(TG_KIND_OPENSSL, long, SSL_CTX_callback_ctrl, (SSL_CTX *, int, void (*)(void)))              \
    X(TG_KIND_OPENSSL, int, SSL_CTX_add_custom_ext,                                                \
      (SSL_CTX *, unsigned, unsigned, SSL_custom_ext_add_cb_ex, SSL_custom_ext_free_cb_ex, void *, \
       SSL_custom_ext_parse_cb_ex, void *))                                                        \
    X(TG_KIND_ANY, void *, SSL_get_ex_data, (const SSL *, int))                                    \
    X(TG_KIND_ANY, int, SSL_get_ex_data_X509_STORE_CTX_idx, (void))                                \
    X(TG_KIND_ANY, SSL_CTX *, SSL_get_SSL_CTX, (const SSL *))                                      \
    X(TG_KIND_ANY, int, SSL_is_server, (const SSL *))                                              \
    X(TG_KIND_OPENSSL, int, SSL_is_init_finished, (const SSL *))                                   \
    X(TG_KIND_OPENSSL, OSSL_HANDSHAKE_STATE, SSL_get_state, (const SSL *))                         \
    X(TG_KIND_BORINGSSL, int, SSL_in_init, (const SSL *))                                          \
    X(TG_KIND_ANY, size_t, SSL_get_finished, (const SSL *, void *, size_t))                        \
    X(TG_KIND_ANY, const char *, SSL_get_servername, (const SSL *, int))                           \
    X(TG_KIND_ANY, X509_VERIFY_PARAM *, SSL_get0_param, (SSL *))                                   \
    X(TG_KIND_ANY, int, SSL_version, (const SSL *))                                                \
    X(TG_KIND_OPENSSL, long, SSL_ctrl, (SSL *, int, long, void *))                                 \
    X(TG_KIND_OPENSSL, uint64_t, SSL_get_options, (const SSL *))                                   \
    X(TG_KIND_OPENSSL, uint64_t, SSL_set_options, (SSL *, uint64_t))                               \
    X(TG_KIND_OPENSSL, uint64_t, SSL_clear_options, (SSL *, uint64_t))                             \
    X(TG_KIND_OPENSSL, void, SSL_set_security_level, (SSL *, int))                                 \
    X(TG_KIND_OPENSSL, int, SSL_get_security_level, (const SSL *))                                 \
    X(TG_KIND_ANY, size_t, SSL_get_client_random, (const SSL *, unsigned char *, size_t))          \
    X(TG_KIND_ANY, int, SSL_get_fd, (const SSL *))                                                 \
    X(TG_KIND_ANY, int, SSL_get_verify_mode, (const SSL *))                                        \
    X(TG_KIND_ANY, SSL_verify_cb, SSL_get_verify_callback, (const SSL *))                          \
    X(TG_KIND_ANY, void, SSL_set_verify, (SSL *, int, SSL_verify_cb))                              \
    X(TG_KIND_OPENSSL, void, SSL_set_verify_result, (SSL *, long))                                 \
    X(TG_KIND_OPENSSL, long, SSL_get_verify_result, (const SSL *))                                 \
    X(TG_KIND_OPENSSL, STACK_OF(X509) *, SSL_get0_verified_chain, (const SSL *))                   \
    X(TG_KIND_ANY, void, SSL_set_info_callback, (SSL *, tg_info_callback *))                       \
    X(TG_KIND_ANY, tg_info_callback *, SSL_get_info_callback, (const SSL *))                       \
    X(TG_KIND_ANY, SSL_SESSION *, SSL_get_session, (const SSL *))                                  \
    X(TG_KIND_ANY, int, SSL_set_session, (SSL *, SSL_SESSION *))                                   \
    X(TG_KIND_ANY, int, SSL_session_reused, (const SSL *))                                         \
    X(TG_KIND_ANY, int, SSL_SESSION_is_resumable, (const SSL_SESSION *))                           \
    X(TG_KIND_ANY, int, SSL_SESSION_get_protocol_version, (const SSL_SESSION *))                   \
    X(TG_KIND_OPENSSL, uint32_t, SSL_SESSION_get_max_early_data, (const SSL_SESSION *))            \
    X(TG_KIND_OPENSSL, int, SSL_SESSION_set_max_early_data, (SSL_SESSION *, uint32_t))             \
    X(TG_KIND_OPENSSL, int, SSL_SESSION_set1_ticket_appdata,                                       \
      (SSL_SESSION *, const void *, size_t))                                                       \
    X(TG_KIND_OPENSSL, int, SSL_SESSION_get0_ticket_appdata, (SSL_SESSION *, void **, size_t *))   \
    X(TG_KIND_OPENSSL, int, SSL_SESSION_has_ticket, (const SSL_SESSION *))                         \
    X(TG_KIND_OPENSSL, const char *, SSL_SESSION_get0_hostname, (const SSL_SESSION *))             \
    X(TG_KIND_ANY, long, SSL_SESSION_set_time, (SSL_SESSION *, long))                              \
    X(TG_KIND_ANY, X509 *, SSL_SESSION_get0_peer, (SSL_SESSION *))                                 \
    X(TG_KIND_ANY, STACK_OF(X509) *, SSL_get_peer_cert_chain, (const SSL *))                       \
    X(TG_KIND_ANY, BIO *, SSL_get_rbio, (const SSL *))                                             \
    X(TG_KIND_ANY, BIO *, SSL_get_wbio, (const SSL *))                                             \
    X(TG_KIND_OPENSSL, void, SSL_set0_wbio, (SSL *, BIO *))                                        \
    X(TG_KIND_ANY, void, SSL_set_shutdown, (SSL *, int))                                           \
    X(TG_KIND_ANY, SSL_CTX *, SSL_CTX_new, (const SSL_METHOD *))                                   \
    X(TG_KIND_BORINGSSL, int, SSL_CTX_get_ex_new_index,                                            \
      (long, void *, void *, void *, CRYPTO_EX_free *))                                            \
    X(TG_KIND_BORINGSSL, int, SSL_get_ex_new_index,                                                \
      (long, void *, void *, void *, CRYPTO_EX_free *))                                            \
    X(TG_KIND_BORINGSSL, int, SSL_CTX_set_ex_data, (SSL_CTX *, int, void *))                       \
    X(TG_KIND_ANY, int, SSL_set_ex_data, (SSL *, int, void *))                                     \
    X(TG_KIND_BORINGSSL, void, SSL_CTX_set_custom_verify, (SSL_CTX *, int, tg_custom_callback *))  \
    X(TG_KIND_BORINGSSL, void, SSL_set_custom_verify, (SSL *, int, tg_custom_callback *))          \
    X(TG_KIND_BORINGSSL, const void *, SSL_get0_peer_certificates, (const SSL *))                  \
    X(TG_KIND_BORINGSSL, const void *, SSL_SESSION_get0_peer_certificates, (const SSL_SESSION *))  \
    X(TG_KIND_BORINGSSL, uint8_t, SSL_alert_from_verify_result, (long))                            \
    X(TG_KIND_BORINGSSL, void, SSL_enable_ocsp_stapling, (SSL *))                                  \
    X(TG_KIND_BORINGSSL, void, SSL_get0_ocsp_response, (const SSL *, const uint8_t **, size_t *))

typedef void tg_info_callback(const SSL *, int, int);

/* BoringSSL's enum ssl_verify_result_t, and the callback of SSL_set_custom_verify. */
enum { TG_CUSTOM_OK, TG_CUSTOM_INVALID, TG_CUSTOM_RETRY };
typedef int tg_custom_callback(SSL *ssl, uint8_t *alert);

struct tg_libssl {
#define MEMBER(kinds, result, name, parameters) result(*name) parameters;
    TG_LIBSSL_FUNCTIONS(MEMBER)
#undef MEMBER
};

/*
 * Finds the functions in the object that holds ADDRESS, its BACKEND, and *LIBCRYPTO, an address in
 * the libcrypto that it works on. False, with *MISSING the first that isn't there, or NULL where
 * the object itself wasn't found.
 */
TG_MUST_USE bool tg_libssl_at(const void *address, struct tg_libssl *libssl,
                              const struct tg_backend **backend, const void **libcrypto,
                              const char **missing);

/* The first function that FROM hasn't of those of a libssl of KIND, or NULL. */
const char *tg_libssl_lacks(tg_has_function *has, const void *from, enum tg_kind kind);

/* An address in a loaded libssl on the libcrypto that LIBCRYPTO lies in, for callers that don't
 * know more than that; NULL: there is none. */
const void *tg_libssl_any(const void *libcrypto);

#endif
