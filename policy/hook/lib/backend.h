/*
 * backend.h - what differs between the kinds of TLS library: each fills one struct tg_backend, in a
 * file of its own, and nothing outside these files asks of which kind a library is. An operation
 * that a kind lacks doesn't compile. A further kind is one more file, and one more row in TG_KINDS.
 */
#ifndef TG_BACKEND_H
#define TG_BACKEND_H

#include "hash.h"
#include "object.h"
#include <openssl/ssl.h>

struct tg_hooked;
struct tg_libcrypto;
struct tg_cryptolib;
struct tg_param_layout;

/*
 * BOTH(result, name, (parameters)) is what OpenSSL 3 and 1.1 do alike (openssl.c), OWN(...) what
 * each kind does for itself. CONTEXT, CHAIN and the like are of the library's own libcrypto.
 *
 * The library itself:
 *   recognise         the OBJECT of this IDENTITY is of this kind
 *   probe_poison      finds out whether LAYOUT has `poison` (param.h); false: it can't be told
 *   find_certs, find_crls   what CONTEXT's store has under NAME: a stack, to be freed with what is
 *                     in it; NULL: nothing
 *   raise_error       puts "trustgraft: TEXT" on the error queue, as libssl's own "certificate
 *                     verify failed"; returns its code, as ERR_get_error(3) does
 * Contexts and connections:
 *   calls_new_func    our ex_data comes by itself; else the preload has to show each object
 *   has_own_contexts  there is an OSSL_LIB_CTX, each with ex_data indexes of its own
 *   has_bio_callbacks a BIO tells of what it reads and writes
 *   context_index, connection_index   the ex_data index, with LIBRARY as its argument; HOOKED may
 * be NULL; below 0: refused home              an address in the libssl that made CONTEXT; NULL: it
 * can't be told A connection before its verification: is_over           its handshake is done
 *   security_level    as SSL_get_security_level(3); -1: there is none
 *   set_security_level   does nothing where there is none
 *   sent_name         the name that is sent as server_name; NULL: none
 *   request_staple    asks for a staple; ANSWER (may be NULL) is called once it has come, with
 *                     HOOKED, if nobody else's is
 *   staple            the length of *ANSWER, which came; 0: none
 *   staple_is_late    it comes only behind the verification of the certificate
 * Sessions, of which each may be NULL:
 *   takes_keys        an application may bring a key in the shape of a session
 *   has_early_data    data may go out early under it
 *   session_digest    the digest of its leaf's DER; false: it has none
 *   marks_sessions    a mark lies in the session itself, not in this process
 *   mark_session      marks it as one that a policy has let in, with the leaf LEAF; false: no
 * memory is_marked Verification: store             that the connection's certificates are verified
 * against; NULL: none leaf_digest       of CONTEXT's leaf, as the session will hold it; LEAF is
 * ours keeps_leaf        a verification that is made once more is made on the same object
 *   accept_context    leaves CHAIN, which is taken over, behind in CONTEXT, and tells the
 *                     application; false: that one refuses
 *   refuse_context    leaves ERROR at DEPTH of PATH (may be NULL) behind, and tells the application
 *   own_path          what the application's verification found, a stack; NULL: none is known
 *   set_result        as SSL_set_verify_result(3)
 *   sent              the certificates of the server as they came, leaf first, of our libcrypto;
 *                     NULL: none, or they can't be read
 *   alert_for         what is sent on a refusal for ERROR, where the application verifies itself
 */
#define TG_BACKEND_OPERATIONS(BOTH, OWN)                                                           \
    OWN(bool, recognise, (void *object, const void *identity))                                     \
    BOTH(bool, probe_poison, (const struct tg_libcrypto *crypto, struct tg_param_layout *layout))  \
    BOTH(void *, find_certs,                                                                       \
         (const struct tg_libcrypto *crypto, X509_STORE_CTX *context, const X509_NAME *name))      \
    BOTH(void *, find_crls,                                                                        \
         (const struct tg_libcrypto *crypto, X509_STORE_CTX *context, const X509_NAME *name))      \
    OWN(unsigned long, raise_error, (const struct tg_libcrypto *crypto, const char *text))         \
    BOTH(bool, calls_new_func, (void))                                                             \
    OWN(bool, has_own_contexts, (void))                                                            \
    BOTH(bool, has_bio_callbacks, (void))                                                          \
    BOTH(int, context_index,                                                                       \
         (struct tg_cryptolib * library, const struct tg_hooked *hooked, CRYPTO_EX_new *make,      \
          CRYPTO_EX_free *release))                                                                \
    BOTH(int, connection_index,                                                                    \
         (struct tg_cryptolib * library, const struct tg_hooked *hooked, CRYPTO_EX_new *make,      \
          CRYPTO_EX_dup *copy, CRYPTO_EX_free *release))                                           \
    BOTH(const void *, home, (const struct tg_hooked *hooked, const SSL_CTX *context))             \
    BOTH(bool, is_over, (const struct tg_hooked *hooked, const SSL *ssl))                          \
    BOTH(int, security_level, (const struct tg_hooked *hooked, const SSL *ssl))                    \
    BOTH(void, set_security_level, (const struct tg_hooked *hooked, SSL *ssl, int level))          \
    BOTH(const char *, sent_name, (const struct tg_hooked *hooked, SSL *ssl))                      \
    BOTH(void, request_staple,                                                                     \
         (const struct tg_hooked *hooked, SSL *ssl, int (*answer)(SSL *, void *)))                 \
    BOTH(size_t, staple, (const struct tg_hooked *hooked, SSL *ssl, const unsigned char **answer)) \
    BOTH(bool, staple_is_late, (const struct tg_hooked *hooked, const SSL *ssl))                   \
    BOTH(bool, takes_keys, (void))                                                                 \
    BOTH(bool, has_early_data, (const struct tg_hooked *hooked, const SSL_SESSION *session))       \
    BOTH(bool, session_digest,                                                                     \
         (const struct tg_hooked *hooked, SSL_SESSION *session, uint8_t digest[TG_SHA256_SIZE]))   \
    BOTH(bool, marks_sessions, (void))                                                             \
    BOTH(bool, mark_session,                                                                       \
         (const struct tg_hooked *hooked, SSL_SESSION *session,                                    \
          const uint8_t leaf[TG_SHA256_SIZE]))                                                     \
    BOTH(bool, is_marked, (const struct tg_hooked *hooked, SSL_SESSION *session))                  \
    BOTH(X509_STORE *, store, (const struct tg_hooked *hooked, SSL *ssl))                          \
    BOTH(bool, leaf_digest,                                                                        \
         (const struct tg_hooked *hooked, const X509_STORE_CTX *context, X509 *leaf,               \
          uint8_t digest[TG_SHA256_SIZE]))                                                         \
    BOTH(bool, keeps_leaf, (void))                                                                 \
    BOTH(bool, accept_context,                                                                     \
         (const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context, void *chain))         \
    BOTH(void, refuse_context,                                                                     \
         (const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context, void *path,           \
          int error, int depth))                                                                   \
    BOTH(const void *, own_path, (const struct tg_hooked *hooked, SSL *ssl, bool *good))           \
    BOTH(void, set_result, (const struct tg_hooked *hooked, SSL *ssl, long error))                 \
    BOTH(STACK_OF(X509) *, sent, (const struct tg_hooked *hooked, const SSL *ssl))                 \
    BOTH(uint8_t, alert_for, (const struct tg_hooked *hooked, long error))

struct tg_backend {
    enum tg_kind kind;
#define MEMBER(result, name, parameters) result(*name) parameters;
    TG_BACKEND_OPERATIONS(MEMBER, MEMBER)
#undef MEMBER
};

/* For the initialisers: an operation of the file's own, which has its name, or one of openssl.c. */
#define TG_BACKEND_OWN(result, name, parameters)     .name = name,
#define TG_BACKEND_OPENSSL(result, name, parameters) .name = tg_openssl_##name,

#define DECLARE(kind, name) extern const struct tg_backend tg_backend_##name;
TG_KINDS(DECLARE)
#undef DECLARE

/* Of the kind of libssl that OBJECT, which has this IDENTITY, is; NULL: none that is known. */
const struct tg_backend *tg_backend_of(void *object, const void *identity);

#endif
