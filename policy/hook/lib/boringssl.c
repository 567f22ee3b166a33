/*
 * boringssl.c - BoringSSL, which is one pair of libraries, always foreign: it calls no new_func,
 * its BIOs call no one, its sessions have no place for a mark, and its contexts no way to be told
 * where a verification stands.
 */
#include "backend.h"
#include "convert.h"
#include "places.h"
#include <openssl/evp.h>
#include <stdatomic.h>

static bool recognise(void *object, const void *identity)
{
    return tg_object_own(object, identity, "SSL_CTX_set_custom_verify") != NULL;
}

static bool probe_poison(const struct tg_libcrypto *crypto, struct tg_param_layout *layout)
{
    return tg_param_find_poison(crypto, layout);
}

static void *find_certs(const struct tg_libcrypto *crypto, X509_STORE_CTX *context,
                        const X509_NAME *name)
{
    return crypto->X509_STORE_CTX_get1_certs(context, name);
}

static void *find_crls(const struct tg_libcrypto *crypto, X509_STORE_CTX *context,
                       const X509_NAME *name)
{
    return crypto->X509_STORE_CTX_get1_crls(context, name);
}

/* Its numbers (its include/openssl/err.h and ssl.h) are others than OpenSSL's. */
enum { OUR_LIB_SSL = 16, OUR_R_CERTIFICATE_VERIFY_FAILED = 125 };

static unsigned long raise_error(const struct tg_libcrypto *crypto, const char *text)
{
    (crypto->ERR_put_error)(OUR_LIB_SSL, 0, OUR_R_CERTIFICATE_VERIFY_FAILED, OPENSSL_FILE,
                            OPENSSL_LINE);
    crypto->ERR_add_error_data(2, "trustgraft: ", text);
    return (unsigned long)OUR_LIB_SSL << 24 | OUR_R_CERTIFICATE_VERIFY_FAILED;
}

/* ---- contexts and connections --------------------------------------------------------------- */

static bool calls_new_func(void)
{
    return false;
}

static bool has_own_contexts(void)
{
    return false;
}

static bool has_bio_callbacks(void)
{
    return false;
}

static int context_index(struct tg_cryptolib *library, const struct tg_hooked *hooked,
                         CRYPTO_EX_new *make, CRYPTO_EX_free *release)
{
    (void)make;
    return hooked != NULL
               ? (hooked->libssl.SSL_CTX_get_ex_new_index)(0, library, NULL, NULL, release)
               : -1;
}

static int connection_index(struct tg_cryptolib *library, const struct tg_hooked *hooked,
                            CRYPTO_EX_new *make, CRYPTO_EX_dup *copy, CRYPTO_EX_free *release)
{
    (void)make, (void)copy;
    return hooked != NULL ? (hooked->libssl.SSL_get_ex_new_index)(0, library, NULL, NULL, release)
                          : -1;
}

/* It doesn't show a context's method, but its libcrypto carries no other libssl. */
static const void *home(const struct tg_hooked *hooked, const SSL_CTX *context)
{
    (void)context;
    return (const void *)hooked->libssl.SSL_CTX_new;
}

/* ---- a connection before its verification --------------------------------------------------- */

static bool is_over(const struct tg_hooked *hooked, const SSL *ssl)
{
    return !hooked->libssl.SSL_in_init(ssl);
}

static int security_level(const struct tg_hooked *hooked, const SSL *ssl)
{
    (void)hooked, (void)ssl;
    return -1;
}

static void set_security_level(const struct tg_hooked *hooked, SSL *ssl, int level)
{
    (void)hooked, (void)ssl, (void)level;
}

static const char *sent_name(const struct tg_hooked *hooked, SSL *ssl)
{
    return hooked->libssl.SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
}

static void request_staple(const struct tg_hooked *hooked, SSL *ssl, int (*answer)(SSL *, void *))
{
    (void)answer;
    hooked->libssl.SSL_enable_ocsp_stapling(ssl);
}

static size_t staple(const struct tg_hooked *hooked, SSL *ssl, const unsigned char **answer)
{
    size_t length = 0;

    hooked->libssl.SSL_get0_ocsp_response(ssl, answer, &length);
    return length;
}

/* TLS 1.2's message with the staple is read before the certificate is verified. */
static bool staple_is_late(const struct tg_hooked *hooked, const SSL *ssl)
{
    (void)hooked, (void)ssl;
    return false;
}

/* ---- sessions ------------------------------------------------------------------------------- */

static bool takes_keys(void)
{
    return false;
}

static bool has_early_data(const struct tg_hooked *hooked, const SSL_SESSION *session)
{
    (void)hooked, (void)session;
    return false;
}

/* A session carries its certificates as they came, without an alias. */
static bool session_digest(const struct tg_hooked *hooked, SSL_SESSION *session,
                           uint8_t digest[TG_SHA256_SIZE])
{
    const struct tg_libcrypto *crypto = &hooked->library->crypto;
    const void *sent = NULL, *buffer = NULL;

    if (session != NULL)
        sent = hooked->libssl.SSL_SESSION_get0_peer_certificates(session);
    if (sent != NULL && crypto->OPENSSL_sk_num(sent) > 0)
        buffer = crypto->OPENSSL_sk_value(sent, 0);
    return buffer != NULL &&
           EVP_Digest(crypto->CRYPTO_BUFFER_data(buffer), crypto->CRYPTO_BUFFER_len(buffer), digest,
                      NULL, tg_hash_sha256(), NULL);
}

/* Leaves that were let in, as bits; nothing is ever forgotten. */
static _Atomic uint64_t let_in[1024];

static _Atomic uint64_t *word_of(const uint8_t leaf[TG_SHA256_SIZE], uint64_t *bit)
{
    *bit = UINT64_C(1) << (leaf[0] & 63);
    return &let_in[(leaf[1] | leaf[2] << 8) % (sizeof(let_in) / sizeof(let_in[0]))];
}

static bool marks_sessions(void)
{
    return false;
}

static bool mark_session(const struct tg_hooked *hooked, SSL_SESSION *session,
                         const uint8_t leaf[TG_SHA256_SIZE])
{
    uint64_t bit = 0;
    _Atomic uint64_t *word = word_of(leaf, &bit);

    (void)hooked, (void)session;
    atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
    return true;
}

static bool is_marked(const struct tg_hooked *hooked, SSL_SESSION *session)
{
    uint8_t leaf[TG_SHA256_SIZE];
    uint64_t bit = 0;
    _Atomic uint64_t *word = NULL;

    if (!session_digest(hooked, session, leaf))
        return false;
    word = word_of(leaf, &bit);
    return (atomic_load_explicit(word, memory_order_relaxed) & bit) != 0;
}

/* ---- verification --------------------------------------------------------------------------- */

static X509_STORE *store(const struct tg_hooked *hooked, SSL *ssl)
{
    return hooked->libssl.SSL_CTX_get_cert_store(hooked->libssl.SSL_get_SSL_CTX(ssl));
}

static bool leaf_digest(const struct tg_hooked *hooked, const X509_STORE_CTX *context, X509 *leaf,
                        uint8_t digest[TG_SHA256_SIZE])
{
    (void)hooked, (void)context;
    return tg_hash_certificate(leaf, digest);
}

/* Each verification has an X509 of its own, made of what came. */
static bool keeps_leaf(void)
{
    return false;
}

/* One walk of BoringSSL's verification along a chain whose verdict is known. */
struct walk {
    const struct tg_libcrypto *crypto;
    SSL_verify_cb callback;
    int error, depth; /* X509_V_OK: the application is asked at each certificate */
    int length;       /* of the chain: BoringSSL may find more than the policy has verified */
    bool refused, told;
};

/* The innermost: an application's callback may make a connection of its own. */
static _Thread_local struct walk *walking;

/* What BoringSSL itself finds on the way isn't asked for, and is passed over. */
static int step(int ok, X509_STORE_CTX *context)
{
    struct walk *walk = walking;
    bool accepted = walk->error == X509_V_OK;
    int depth = walk->crypto->X509_STORE_CTX_get_error_depth(context);

    walk->crypto->X509_STORE_CTX_set_error(context, walk->error);
    if (accepted ? !ok || walk->refused || depth >= walk->length
                 : walk->told || depth != walk->depth)
        return 1;
    walk->told = depth == walk->depth;
    walk->refused = walk->callback(accepted, context) == 0;
    return !(accepted && walk->refused);
}

/*
 * Calls the application's verify callback along CHAIN, which is accepted, or once at DEPTH with an
 * ERROR. Nothing sets the certificate that a context of BoringSSL's stands at but its own
 * verification: that is made to walk the chain. False: the application refuses.
 */
static bool walk_chain(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                       void *chain, int error, int depth)
{
    const struct tg_libcrypto *crypto = &hooked->library->crypto;
    struct walk walk = {.crypto = crypto,
                        .callback = hooked->libssl.SSL_get_verify_callback(ssl),
                        .error = error,
                        .depth = depth,
                        .length = crypto->OPENSSL_sk_num(chain)};
    X509_VERIFY_PARAM *param = crypto->X509_STORE_CTX_get0_param(context);
    struct walk *outer = walking;

    crypto->X509_STORE_CTX_set_error(context, error);
    if (walk.callback == NULL || chain == NULL || param == NULL)
        return true;
    (void)crypto->ERR_set_mark();
    (void)crypto->X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    crypto->X509_STORE_CTX_set0_trusted_stack(context, chain);
    crypto->X509_STORE_CTX_set_verify_cb(context, step);
    walking = &walk;
    (void)crypto->X509_verify_cert(context);
    walking = outer;
    (void)crypto->ERR_pop_to_mark();
    /* A walk that never came to the leaf leaves the application without a say. */
    if (!walk.refused && !walk.told && error == X509_V_OK)
        walk.refused = true;
    if (!walk.refused)
        crypto->X509_STORE_CTX_set_error(context, error);
    return !walk.refused;
}

static bool accept_context(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                           void *chain)
{
    bool agreed = walk_chain(hooked, ssl, context, chain, X509_V_OK, 0);

    tg_convert_free(hooked->library, chain);
    return agreed;
}

/* What the application answers doesn't count. */
static void refuse_context(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                           void *path, int error, int depth)
{
    (void)walk_chain(hooked, ssl, context, path, error, depth);
    hooked->library->crypto.X509_STORE_CTX_set_error(context, error);
}

/* A connection keeps no verified chain. */
static const void *own_path(const struct tg_hooked *hooked, SSL *ssl, bool *good)
{
    (void)hooked, (void)ssl;
    *good = false;
    return NULL;
}

static void set_result(const struct tg_hooked *hooked, SSL *ssl, long error)
{
    (void)hooked, (void)ssl, (void)error;
}

static STACK_OF(X509) *sent(const struct tg_hooked *hooked, const SSL *ssl)
{
    const struct tg_libcrypto *crypto = &hooked->library->crypto;
    const void *buffers = hooked->libssl.SSL_get0_peer_certificates(ssl);
    STACK_OF(X509) *all = sk_X509_new_null();

    for (int i = 0; all != NULL && i < crypto->OPENSSL_sk_num(buffers); i++) {
        const void *buffer = crypto->OPENSSL_sk_value(buffers, (size_t)i);
        X509 *certificate =
            tg_convert_read(crypto->CRYPTO_BUFFER_data(buffer), crypto->CRYPTO_BUFFER_len(buffer));

        if (certificate == NULL || !sk_X509_push(all, certificate)) {
            X509_free(certificate);
            sk_X509_pop_free(all, X509_free);
            return NULL;
        }
    }
    return all;
}

static uint8_t alert_for(const struct tg_hooked *hooked, long error)
{
    return hooked->libssl.SSL_alert_from_verify_result(error);
}

const struct tg_backend tg_backend_boringssl = {
    .kind = TG_KIND_BORINGSSL, TG_BACKEND_OPERATIONS(TG_BACKEND_OWN, TG_BACKEND_OWN)};
