/*
 * libcrypto.h - the functions of the libcrypto that a program's libssl works on. It may be
 * another than the one this library is bound to: then its objects are touched by its own
 * functions alone, and certificates cross as DER (convert.h).
 */
#ifndef TG_LIBCRYPTO_H
#define TG_LIBCRYPTO_H

#include "object.h"
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/x509_vfy.h>

/* As BIO_set_callback(3) takes it, which a libcrypto may be built without. */
typedef long tg_old_bio_callback(BIO *bio, int operation, const char *data, int argument, long more,
                                 long returned);

/*
 * X(kinds, result, name, (parameters)): every function that the hook calls there. Stacks are
 * untyped, and their indexes as wide as BoringSSL has them.
 */
#define TG_LIBCRYPTO_FUNCTIONS(X)                                                                  \
    X(TG_KIND_ANY, int, X509_verify_cert, (X509_STORE_CTX *))                                      \
    X(TG_KIND_ANY, X509_STORE_CTX *, X509_STORE_CTX_new, (void))                                   \
    X(TG_KIND_ANY, void, X509_STORE_CTX_free, (X509_STORE_CTX *))                                  \
    X(TG_KIND_ANY, int, X509_STORE_CTX_init, (X509_STORE_CTX *, X509_STORE *, X509 *, void *))     \
    X(TG_KIND_ANY, int, X509_STORE_CTX_set_default, (X509_STORE_CTX *, const char *))              \
    X(TG_KIND_ANY, X509 *, X509_STORE_CTX_get0_cert, (const X509_STORE_CTX *))                     \
    X(TG_KIND_ANY, void *, X509_STORE_CTX_get0_untrusted, (const X509_STORE_CTX *))                \
    X(TG_KIND_ANY, void *, X509_STORE_CTX_get0_chain, (const X509_STORE_CTX *))                    \
    X(TG_KIND_ANY, X509_VERIFY_PARAM *, X509_STORE_CTX_get0_param, (const X509_STORE_CTX *))       \
    X(TG_KIND_ANY, void *, X509_STORE_CTX_get_ex_data, (const X509_STORE_CTX *, int))              \
    X(TG_KIND_ANY, int, X509_STORE_CTX_get_error, (const X509_STORE_CTX *))                        \
    X(TG_KIND_ANY, void, X509_STORE_CTX_set_error, (X509_STORE_CTX *, int))                        \
    X(TG_KIND_ANY, int, X509_STORE_CTX_get_error_depth, (const X509_STORE_CTX *))                  \
    X(TG_KIND_OPENSSL, void, X509_STORE_CTX_set_error_depth, (X509_STORE_CTX *, int))              \
    X(TG_KIND_OPENSSL, void, X509_STORE_CTX_set_current_cert, (X509_STORE_CTX *, X509 *))          \
    X(TG_KIND_OPENSSL, X509_STORE_CTX_verify_cb, X509_STORE_CTX_get_verify_cb,                     \
      (const X509_STORE_CTX *))                                                                    \
    X(TG_KIND_OPENSSL, void, X509_STORE_CTX_set0_verified_chain, (X509_STORE_CTX *, void *))       \
    X(TG_KIND_OPENSSL, X509_STORE_CTX_lookup_certs_fn, X509_STORE_CTX_get_lookup_certs,            \
      (const X509_STORE_CTX *))                                                                    \
    X(TG_KIND_OPENSSL, X509_STORE_CTX_lookup_crls_fn, X509_STORE_CTX_get_lookup_crls,              \
      (const X509_STORE_CTX *))                                                                    \
    X(TG_KIND_BORINGSSL, STACK_OF(X509) *, X509_STORE_CTX_get1_certs,                              \
      (const X509_STORE_CTX *, const X509_NAME *))                                                 \
    X(TG_KIND_BORINGSSL, STACK_OF(X509_CRL) *, X509_STORE_CTX_get1_crls,                           \
      (const X509_STORE_CTX *, const X509_NAME *))                                                 \
    X(TG_KIND_BORINGSSL, void, X509_STORE_CTX_set_verify_cb,                                       \
      (X509_STORE_CTX *, X509_STORE_CTX_verify_cb))                                                \
    X(TG_KIND_BORINGSSL, void, X509_STORE_CTX_set0_trusted_stack, (X509_STORE_CTX *, void *))      \
    X(TG_KIND_ANY | TG_KIND_OPTIONAL, X509_VERIFY_PARAM *, X509_STORE_get0_param,                  \
      (const X509_STORE *))                                                                        \
    X(TG_KIND_ANY, X509_VERIFY_PARAM *, X509_VERIFY_PARAM_new, (void))                             \
    X(TG_KIND_ANY, void, X509_VERIFY_PARAM_free, (X509_VERIFY_PARAM *))                            \
    X(TG_KIND_ANY, int, X509_VERIFY_PARAM_set1, (X509_VERIFY_PARAM *, const X509_VERIFY_PARAM *))  \
    X(TG_KIND_ANY, int, X509_VERIFY_PARAM_set_flags, (X509_VERIFY_PARAM *, unsigned long))         \
    X(TG_KIND_ANY, unsigned long, X509_VERIFY_PARAM_get_flags, (X509_VERIFY_PARAM *))              \
    X(TG_KIND_ANY, int, X509_VERIFY_PARAM_get_depth, (const X509_VERIFY_PARAM *))                  \
    X(TG_KIND_OPENSSL, int, X509_VERIFY_PARAM_get_auth_level, (const X509_VERIFY_PARAM *))         \
    X(TG_KIND_ANY, void, X509_VERIFY_PARAM_set_time, (X509_VERIFY_PARAM *, time_t))                \
    X(TG_KIND_ANY, void, X509_VERIFY_PARAM_set_hostflags, (X509_VERIFY_PARAM *, unsigned))         \
    X(TG_KIND_ANY, int, X509_VERIFY_PARAM_set1_host, (X509_VERIFY_PARAM *, const char *, size_t))  \
    X(TG_KIND_ANY, int, X509_VERIFY_PARAM_add1_host, (X509_VERIFY_PARAM *, const char *, size_t))  \
    X(TG_KIND_ANY, int, X509_VERIFY_PARAM_set1_email, (X509_VERIFY_PARAM *, const char *, size_t)) \
    X(TG_KIND_ANY, int, X509_VERIFY_PARAM_set1_ip,                                                 \
      (X509_VERIFY_PARAM *, const unsigned char *, size_t))                                        \
    X(TG_KIND_ANY, int, i2d_X509, (const X509 *, unsigned char **))                                \
    X(TG_KIND_ANY, int, i2d_X509_AUX, (const X509 *, unsigned char **))                            \
    X(TG_KIND_ANY, int, i2d_X509_CRL, (const X509_CRL *, unsigned char **))                        \
    X(TG_KIND_ANY, int, i2d_re_X509_tbs, (X509 *, unsigned char **))                               \
    X(TG_KIND_ANY, X509 *, d2i_X509, (X509 **, const unsigned char **, long))                      \
    X(TG_KIND_ANY, X509_NAME *, d2i_X509_NAME, (X509_NAME **, const unsigned char **, long))       \
    X(TG_KIND_ANY, X509_EXTENSION *, d2i_X509_EXTENSION,                                           \
      (X509_EXTENSION **, const unsigned char **, long))                                           \
    X(TG_KIND_ANY, int, X509_up_ref, (X509 *))                                                     \
    X(TG_KIND_ANY, void, X509_free, (X509 *))                                                      \
    X(TG_KIND_ANY, void, X509_CRL_free, (X509_CRL *))                                              \
    X(TG_KIND_ANY, void, X509_NAME_free, (X509_NAME *))                                            \
    X(TG_KIND_ANY, void, X509_EXTENSION_free, (X509_EXTENSION *))                                  \
    X(TG_KIND_ANY, int, X509_get_ext_by_NID, (const X509 *, int, int))                             \
    X(TG_KIND_ANY, X509_EXTENSION *, X509_delete_ext, (X509 *, int))                               \
    X(TG_KIND_ANY, int, X509_add_ext, (X509 *, X509_EXTENSION *, int))                             \
    X(TG_KIND_ANY, int, OPENSSL_sk_num, (const void *))                                            \
    X(TG_KIND_ANY, void *, OPENSSL_sk_value, (const void *, size_t))                               \
    X(TG_KIND_ANY, void *, OPENSSL_sk_new_null, (void))                                            \
    X(TG_KIND_ANY, size_t, OPENSSL_sk_push, (void *, void *))                                      \
    X(TG_KIND_ANY, void, OPENSSL_sk_free, (void *))                                                \
    X(TG_KIND_ANY, int, ERR_set_mark, (void))                                                      \
    X(TG_KIND_ANY, int, ERR_pop_to_mark, (void))                                                   \
    X(TG_KIND_OPENSSL_3, OSSL_LIB_CTX *, OSSL_LIB_CTX_set0_default, (OSSL_LIB_CTX *))              \
    X(TG_KIND_OPENSSL_3, OSSL_LIB_CTX *, OSSL_LIB_CTX_get0_global_default, (void))                 \
    X(TG_KIND_OPENSSL_3, void, ERR_new, (void))                                                    \
    X(TG_KIND_OPENSSL_3, void, ERR_set_debug, (const char *, int, const char *))                   \
    X(TG_KIND_OPENSSL_3, void, ERR_set_error, (int, int, const char *, ...))                       \
    X(TG_KIND_OPENSSL_1 | TG_KIND_BORINGSSL, void, ERR_put_error,                                  \
      (int, int, int, const char *, int))                                                          \
    X(TG_KIND_OPENSSL_1 | TG_KIND_BORINGSSL, void, ERR_add_error_data, (unsigned, ...))            \
    X(TG_KIND_OPENSSL, int, CRYPTO_get_ex_new_index,                                               \
      (int, long, void *, CRYPTO_EX_new *, CRYPTO_EX_dup *, CRYPTO_EX_free *))                     \
    X(TG_KIND_OPENSSL, int, CRYPTO_new_ex_data, (int, void *, CRYPTO_EX_DATA *))                   \
    X(TG_KIND_OPENSSL, void, CRYPTO_free_ex_data, (int, void *, CRYPTO_EX_DATA *))                 \
    X(TG_KIND_OPENSSL, int, CRYPTO_set_ex_data, (CRYPTO_EX_DATA *, int, void *))                   \
    X(TG_KIND_OPENSSL, void *, CRYPTO_get_ex_data, (const CRYPTO_EX_DATA *, int))                  \
    X(TG_KIND_OPENSSL, void, BIO_set_callback_ex, (BIO *, BIO_callback_fn_ex))                     \
    X(TG_KIND_OPENSSL, BIO_callback_fn_ex, BIO_get_callback_ex, (const BIO *))                     \
    X(TG_KIND_OPENSSL, int, BIO_set_ex_data, (BIO *, int, void *))                                 \
    X(TG_KIND_OPENSSL, void *, BIO_get_ex_data, (const BIO *, int))                                \
    X(TG_KIND_OPENSSL | TG_KIND_OPTIONAL, tg_old_bio_callback *, BIO_get_callback, (const BIO *))  \
    X(TG_KIND_ANY, BIO *, BIO_find_type, (BIO *, int))                                             \
    X(TG_KIND_ANY, long, BIO_ctrl, (BIO *, int, long, void *))                                     \
    X(TG_KIND_OPENSSL, void, BIO_clear_flags, (BIO *, int))                                        \
    X(TG_KIND_OPENSSL, const BIO_METHOD *, BIO_s_null, (void))                                     \
    X(TG_KIND_OPENSSL, BIO *, BIO_new, (const BIO_METHOD *))                                       \
    X(TG_KIND_OPENSSL, int, BIO_up_ref, (BIO *))                                                   \
    X(TG_KIND_OPENSSL, int, BIO_free, (BIO *))                                                     \
    X(TG_KIND_BORINGSSL, const unsigned char *, CRYPTO_BUFFER_data, (const void *))                \
    X(TG_KIND_BORINGSSL, size_t, CRYPTO_BUFFER_len, (const void *))

struct tg_libcrypto {
#define MEMBER(kinds, result, name, parameters) result(*name) parameters;
    TG_LIBCRYPTO_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* Those of the libcrypto that this engine has inside, hidden; NULL: it has none. */
extern const struct tg_libcrypto *tg_libcrypto_inside;

/*
 * Finds the functions in the object that holds ADDRESS, a libcrypto of KIND. False, with
 * *MISSING the first that isn't there, or NULL where the object itself wasn't found.
 */
TG_MUST_USE bool tg_libcrypto_at(const void *address, enum tg_kind kind,
                                 struct tg_libcrypto *libcrypto, const char **missing);

/* The first function that FROM hasn't of those of a libcrypto of KIND, or NULL. */
const char *tg_libcrypto_lacks(tg_has_function *has, const void *from, enum tg_kind kind);

#endif
