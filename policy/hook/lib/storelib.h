/*
 * storelib.h - the functions of a program's libcrypto that have to do with its X509_STOREs: found
 * when a program first loads a file into one.
 */
#ifndef TG_STORELIB_H
#define TG_STORELIB_H

#include "cryptolib.h"

/* X(kinds, result, name, (parameters)); stacks are untyped. */
#define TG_STORELIB_FUNCTIONS(X)                                                                   \
    X(TG_KIND_OPENSSL, X509_LOOKUP *, X509_STORE_add_lookup, (X509_STORE *, X509_LOOKUP_METHOD *)) \
    X(TG_KIND_OPENSSL, X509_LOOKUP_METHOD *, X509_LOOKUP_file, (void))                             \
    X(TG_KIND_OPENSSL, X509_LOOKUP_METHOD *, X509_LOOKUP_hash_dir, (void))                         \
    X(TG_KIND_OPENSSL_3, X509_LOOKUP_METHOD *, X509_LOOKUP_store, (void))                          \
    X(TG_KIND_OPENSSL, int, X509_LOOKUP_ctrl, (X509_LOOKUP *, int, const char *, long, char **))   \
    X(TG_KIND_OPENSSL_3, int, X509_LOOKUP_ctrl_ex,                                                 \
      (X509_LOOKUP *, int, const char *, long, char **, OSSL_LIB_CTX *, const char *))             \
    X(TG_KIND_OPENSSL, X509_STORE *, X509_LOOKUP_get_store, (const X509_LOOKUP *))                 \
    X(TG_KIND_OPENSSL, const char *, X509_get_default_cert_file, (void))                           \
    X(TG_KIND_OPENSSL, const char *, X509_get_default_cert_file_env, (void))                       \
    X(TG_KIND_OPENSSL, void *, X509_STORE_get_ex_data, (const X509_STORE *, int))                  \
    X(TG_KIND_OPENSSL, void, X509_STORE_set_get_issuer,                                            \
      (X509_STORE *, X509_STORE_CTX_get_issuer_fn))                                                \
    X(TG_KIND_OPENSSL, X509_STORE_CTX_get_issuer_fn, X509_STORE_get_get_issuer,                    \
      (const X509_STORE *))                                                                        \
    X(TG_KIND_OPENSSL, void, X509_STORE_set_lookup_certs,                                          \
      (X509_STORE *, X509_STORE_CTX_lookup_certs_fn))                                              \
    X(TG_KIND_OPENSSL, X509_STORE_CTX_lookup_certs_fn, X509_STORE_get_lookup_certs,                \
      (const X509_STORE *))                                                                        \
    X(TG_KIND_OPENSSL, int, X509_STORE_add_cert, (X509_STORE *, X509 *))                           \
    X(TG_KIND_OPENSSL, int, X509_STORE_lock, (X509_STORE *))                                       \
    X(TG_KIND_OPENSSL, int, X509_STORE_unlock, (X509_STORE *))                                     \
    X(TG_KIND_OPENSSL, void *, X509_STORE_get0_objects, (const X509_STORE *))                      \
    X(TG_KIND_OPENSSL, X509 *, X509_OBJECT_get0_X509, (const void *))                              \
    X(TG_KIND_OPENSSL, X509_STORE *, X509_STORE_CTX_get0_store, (const X509_STORE_CTX *))          \
    X(TG_KIND_OPENSSL, int, X509_STORE_CTX_get1_issuer, (X509 **, X509_STORE_CTX *, X509 *))       \
    X(TG_KIND_OPENSSL, STACK_OF(X509) *, X509_STORE_CTX_get1_certs,                                \
      (X509_STORE_CTX *, const X509_NAME *))                                                       \
    X(TG_KIND_OPENSSL, X509_NAME *, X509_get_issuer_name, (const X509 *))                          \
    X(TG_KIND_OPENSSL, X509_NAME *, X509_get_subject_name, (const X509 *))                         \
    X(TG_KIND_OPENSSL, int, X509_NAME_get0_der,                                                    \
      (const X509_NAME *, const unsigned char **, size_t *))                                       \
    X(TG_KIND_OPENSSL, X509 *, d2i_X509_AUX, (X509 **, const unsigned char **, long))              \
    X(TG_KIND_OPENSSL, BIO *, BIO_new_mem_buf, (const void *, int))                                \
    X(TG_KIND_OPENSSL, void *, PEM_X509_INFO_read_bio, (BIO *, void *, void *, void *))            \
    X(TG_KIND_OPENSSL, void *, OPENSSL_sk_delete, (void *, int))                                   \
    X(TG_KIND_OPENSSL, void *, OPENSSL_sk_new, (int (*)(const void *, const void *)))              \
    X(TG_KIND_OPENSSL, int, OPENSSL_sk_find, (void *, const void *))                               \
    X(TG_KIND_OPENSSL, void, OPENSSL_sk_sort, (void *))                                            \
    X(TG_KIND_OPENSSL, int, OPENSSL_sk_is_sorted, (const void *))                                  \
    X(TG_KIND_OPENSSL, int, OPENSSL_init_crypto, (uint64_t, const void *))                         \
    X(TG_KIND_OPENSSL, void, ERR_clear_error, (void))                                              \
    X(TG_KIND_OPENSSL | TG_KIND_OPTIONAL, int, ERR_clear_last_mark, (void))                        \
    X(TG_KIND_OPENSSL_3, OSSL_LIB_CTX *, OSSL_LIB_CTX_set0_default, (OSSL_LIB_CTX *))              \
    X(TG_KIND_OPENSSL_3, OSSL_LIB_CTX *, OSSL_LIB_CTX_get0_global_default, (void))

struct tg_storelib {
    const struct tg_cryptolib *library;
    bool adding_sorts; /* X509_STORE_add_cert(3), which looks for what is to be added */
#define MEMBER(kinds, result, name, parameters) result(*name) parameters;
    TG_STORELIB_FUNCTIONS(MEMBER)
#undef MEMBER
};

/*
 * Of LIBRARY, for as long as the process lives. NULL where it isn't OpenSSL of 1.1.1 or later, or
 * lacks one.
 */
const struct tg_storelib *tg_storelib_of(struct tg_cryptolib *library);

#endif
