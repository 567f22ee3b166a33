/*
 * resolve.h - the function that a call would have reached had this library not been in between:
 * per call site for libssl, of which a process may have several, and once for libc.
 */
#ifndef TG_RESOLVE_H
#define TG_RESOLVE_H

#include "gnutls_api.h"
#include "nss_api.h"

/* What is interposed or called of libssl: X(symbol, name). */
#define TG_SSL_SYMBOLS(X)                                                                          \
    X(TG_SSL_CTX_NEW, SSL_CTX_new)                                                                 \
    X(TG_SSL_CTX_NEW_EX, SSL_CTX_new_ex)                                                           \
    X(TG_SSL_NEW, SSL_new)                                                                         \
    X(TG_SSL_CTX_SET_CERT_VERIFY_CALLBACK, SSL_CTX_set_cert_verify_callback)                       \
    X(TG_SSL_SET_INFO_CALLBACK, SSL_set_info_callback)                                             \
    X(TG_SSL_GET_INFO_CALLBACK, SSL_get_info_callback)                                             \
    X(TG_SSL_CTX_SET_CUSTOM_VERIFY, SSL_CTX_set_custom_verify)                                     \
    X(TG_SSL_SET_CUSTOM_VERIFY, SSL_set_custom_verify)                                             \
    X(TG_SSL_CTX_FREE, SSL_CTX_free)                                                               \
    X(TG_SSL_FREE, SSL_free)                                                                       \
    X(TG_SSL_GET_VERIFY_RESULT, SSL_get_verify_result)

/* Of libcrypto: what has to do with an X509_STORE. */
#define TG_STORE_SYMBOLS(X)                                                                        \
    X(TG_X509_STORE_NEW, X509_STORE_new)                                                           \
    X(TG_X509_STORE_LOAD_FILE, X509_STORE_load_file)                                               \
    X(TG_X509_STORE_LOAD_FILE_EX, X509_STORE_load_file_ex)                                         \
    X(TG_X509_STORE_LOAD_LOCATIONS, X509_STORE_load_locations)                                     \
    X(TG_X509_STORE_LOAD_LOCATIONS_EX, X509_STORE_load_locations_ex)                               \
    X(TG_X509_STORE_LOAD_STORE, X509_STORE_load_store)                                             \
    X(TG_X509_STORE_LOAD_STORE_EX, X509_STORE_load_store_ex)                                       \
    X(TG_X509_STORE_SET_DEFAULT_PATHS, X509_STORE_set_default_paths)                               \
    X(TG_X509_STORE_SET_DEFAULT_PATHS_EX, X509_STORE_set_default_paths_ex)                         \
    X(TG_X509_STORE_ADD_CERT, X509_STORE_add_cert)                                                 \
    X(TG_X509_STORE_ADD_CRL, X509_STORE_add_crl)                                                   \
    X(TG_X509_STORE_ADD_LOOKUP, X509_STORE_add_lookup)                                             \
    X(TG_X509_STORE_LOCK, X509_STORE_lock)                                                         \
    X(TG_X509_STORE_GET0_OBJECTS, X509_STORE_get0_objects)                                         \
    X(TG_X509_STORE_GET1_OBJECTS, X509_STORE_get1_objects)                                         \
    X(TG_X509_STORE_GET1_ALL_CERTS, X509_STORE_get1_all_certs)                                     \
    X(TG_X509_STORE_SET_GET_ISSUER, X509_STORE_set_get_issuer)                                     \
    X(TG_X509_STORE_GET_GET_ISSUER, X509_STORE_get_get_issuer)                                     \
    X(TG_X509_STORE_SET_LOOKUP_CERTS, X509_STORE_set_lookup_certs)                                 \
    X(TG_X509_STORE_GET_LOOKUP_CERTS, X509_STORE_get_lookup_certs)                                 \
    X(TG_X509_STORE_CTX_INIT, X509_STORE_CTX_init)                                                 \
    X(TG_X509_STORE_CTX_GET_BY_SUBJECT, X509_STORE_CTX_get_by_subject)                             \
    X(TG_X509_STORE_CTX_GET_OBJ_BY_SUBJECT, X509_STORE_CTX_get_obj_by_subject)                     \
    X(TG_X509_STORE_CTX_GET1_ISSUER, X509_STORE_CTX_get1_issuer)                                   \
    X(TG_X509_STORE_CTX_GET1_CERTS, X509_STORE_CTX_get1_certs)                                     \
    X(TG_X509_STORE_CTX_GET1_CRLS, X509_STORE_CTX_get1_crls)                                       \
    X(TG_X509_STORE_CTX_GET_GET_ISSUER, X509_STORE_CTX_get_get_issuer)                             \
    X(TG_X509_STORE_CTX_GET_LOOKUP_CERTS, X509_STORE_CTX_get_lookup_certs)                         \
    X(TG_X509_STORE_CTX_GET_LOOKUP_CRLS, X509_STORE_CTX_get_lookup_crls)                           \
    X(TG_X509_STORE_CTX_PRINT_VERIFY_CB, X509_STORE_CTX_print_verify_cb)                           \
    X(TG_X509_LOOKUP_CTRL, X509_LOOKUP_ctrl)                                                       \
    X(TG_X509_LOOKUP_CTRL_EX, X509_LOOKUP_ctrl_ex)                                                 \
    X(TG_X509_LOOKUP_BY_SUBJECT, X509_LOOKUP_by_subject)                                           \
    X(TG_X509_LOOKUP_BY_SUBJECT_EX, X509_LOOKUP_by_subject_ex)                                     \
    X(TG_X509_LOAD_CERT_FILE, X509_load_cert_file)                                                 \
    X(TG_X509_LOAD_CERT_FILE_EX, X509_load_cert_file_ex)                                           \
    X(TG_X509_LOAD_CRL_FILE, X509_load_crl_file)                                                   \
    X(TG_X509_LOAD_CERT_CRL_FILE, X509_load_cert_crl_file)                                         \
    X(TG_X509_LOAD_CERT_CRL_FILE_EX, X509_load_cert_crl_file_ex)                                   \
    X(TG_OSSL_CMP_CTX_SET0_TRUSTEDSTORE, OSSL_CMP_CTX_set0_trustedStore)                           \
    X(TG_OSSL_CMP_CTX_SET0_TRUSTED, OSSL_CMP_CTX_set0_trusted)

/* Of it too: what is said of an error. */
#define TG_ERROR_SYMBOLS(X)                                                                        \
    X(TG_X509_VERIFY_CERT_ERROR_STRING, X509_verify_cert_error_string)                             \
    X(TG_X509_STORE_CTX_GET_ERROR, X509_STORE_CTX_get_error)                                       \
    X(TG_ERR_REASON_ERROR_STRING, ERR_reason_error_string)                                         \
    X(TG_ERR_ERROR_STRING, ERR_error_string)                                                       \
    X(TG_ERR_ERROR_STRING_N, ERR_error_string_n)                                                   \
    X(TG_ERR_PEEK_ERROR_DATA, ERR_peek_error_data)                                                 \
    X(TG_ERR_PEEK_LAST_ERROR_DATA, ERR_peek_last_error_data)                                       \
    X(TG_ERR_GET_ERROR_ALL, ERR_get_error_all)                                                     \
    X(TG_ERR_PEEK_ERROR_ALL, ERR_peek_error_all)                                                   \
    X(TG_ERR_PEEK_LAST_ERROR_ALL, ERR_peek_last_error_all)                                         \
    X(TG_ERR_GET_ERROR_LINE_DATA, ERR_get_error_line_data)                                         \
    X(TG_ERR_PEEK_ERROR_LINE_DATA, ERR_peek_error_line_data)                                       \
    X(TG_ERR_PEEK_LAST_ERROR_LINE_DATA, ERR_peek_last_error_line_data)

/* Of libc: the look-ups of names, */
#define TG_LOOKUP_SYMBOLS(X)                                                                       \
    X(TG_GETADDRINFO, getaddrinfo)                                                                 \
    X(TG_GETHOSTBYNAME, gethostbyname)                                                             \
    X(TG_GETHOSTBYNAME2, gethostbyname2)                                                           \
    X(TG_GETHOSTBYNAME_R, gethostbyname_r)                                                         \
    X(TG_GETHOSTBYNAME2_R, gethostbyname2_r)                                                       \
    X(TG_GETADDRINFO_A, getaddrinfo_a)                                                             \
    X(TG_GAI_ERROR, gai_error)                                                                     \
    X(TG_GAI_SUSPEND, gai_suspend)

/* and what sends. */
#define TG_SOCKET_SYMBOLS(X)                                                                       \
    X(TG_CONNECT, connect)                                                                         \
    X(TG_WRITE, write)                                                                             \
    X(TG_WRITEV, writev)                                                                           \
    X(TG_SEND, send)                                                                               \
    X(TG_SENDTO, sendto)                                                                           \
    X(TG_SENDMSG, sendmsg)                                                                         \
    X(TG_SENDMMSG, sendmmsg)

/* Of the other TLS libraries, as their headers here list them. */
#define TG_FOREIGN_SYMBOLS(X)                                                                      \
    TG_GNUTLS_INTERPOSED(X)                                                                        \
    TG_GNUTLS_INTERPOSED_LATER(X)                                                                  \
    TG_GNUTLS_CALLED(X)                                                                            \
    TG_NSS_INTERPOSED(X)                                                                           \
    TG_NSS_BY_HAND(X)                                                                              \
    TG_NSS_CALLED_BELOW(X)                                                                         \
    TG_NSPR_INTERPOSED(X)

#define TG_SYMBOL_ENUMERATOR(symbol, name)              symbol,
#define TG_FOREIGN_ENUMERATOR(result, name, parameters) TG_SYMBOL_##name,
enum tg_symbol {
    TG_SSL_SYMBOLS(TG_SYMBOL_ENUMERATOR) TG_STORE_SYMBOLS(TG_SYMBOL_ENUMERATOR)
        TG_ERROR_SYMBOLS(TG_SYMBOL_ENUMERATOR) TG_LOOKUP_SYMBOLS(TG_SYMBOL_ENUMERATOR)
            TG_SOCKET_SYMBOLS(TG_SYMBOL_ENUMERATOR) TG_FOREIGN_SYMBOLS(TG_FOREIGN_ENUMERATOR)
                TG_SYMBOLS /* how many */
};
#undef TG_FOREIGN_ENUMERATOR
#undef TG_SYMBOL_ENUMERATOR

const char *tg_symbol_name(enum tg_symbol symbol);

/* A function of a libssl, and the SSL_CTX_new that goes with it. NULL: not found. */
struct tg_target {
    void *function;
    void *ssl_ctx_new;
};

/*
 * What the code at CALLER, a return address, would have reached as SYMBOL. It is never one of
 * this library's wrappers. Safe in threads, constructors and forked children; preserves errno.
 */
struct tg_target tg_resolve_ssl(enum tg_symbol symbol, const void *caller);

/* What a function that isn't OpenSSL's belongs to: libgnutls, or NSS's libssl3, libnss3 or
 * libnspr4.
 */
enum tg_foreign {
    TG_FOREIGN_GNUTLS,
    TG_FOREIGN_NSS_SSL,
    TG_FOREIGN_NSS,
    TG_FOREIGN_NSPR,
    TG_FOREIGNS
};

struct tg_foreign_target {
    void *function; /* NULL: not found */
    bool inside;    /* it is that library that calls it, or one of the same family */
};

/* As tg_resolve_ssl. */
struct tg_foreign_target tg_resolve_foreign(enum tg_foreign library, enum tg_symbol symbol,
                                            const void *caller);

/* A function of a libcrypto. */
struct tg_crypto_target {
    void *function;                /* NULL: not found */
    const struct link_map *object; /* that it is of */
    const struct link_map *caller; /* that calls it; NULL: none is known */
};

/* As tg_resolve_ssl. The same function for all that is called by the caller's object. */
struct tg_crypto_target tg_resolve_crypto(enum tg_symbol symbol, const void *caller);

/* The same for a function of libc, of which there is one; NULL if there is none. */
void *tg_resolve_libc(enum tg_symbol symbol);

#endif
