#include "openssl.h"
#include "convert.h"
#include "places.h"
#include <dlfcn.h>
#include <string.h>

/* The link may have dropped the function of a libcrypto that is inside a program; another's is
 * none of its. */
unsigned long tg_openssl_version(void *object, const void *identity)
{
    unsigned long (*version)(void) = NULL;
    const struct tg_symtab *hidden = tg_object_hidden(identity);

    switch (hidden != NULL ? tg_symtab_kind(hidden) : TG_SYMTAB_LIBSSL) {
    case TG_SYMTAB_OPENSSL_1:
        return 0x1010100fUL;
    case TG_SYMTAB_OPENSSL_3:
        return 0x30000000UL;
    case TG_SYMTAB_BORINGSSL:
    case TG_SYMTAB_UNPROVEN:
        return 0;
    case TG_SYMTAB_LIBSSL:
        break;
    }
    version = (unsigned long (*)(void))dlsym(object, "OpenSSL_version_num");
    return version != NULL ? version() : 0;
}

/* ---- the library itself --------------------------------------------------------------------- */

bool tg_openssl_probe_poison(const struct tg_libcrypto *crypto, struct tg_param_layout *layout)
{
    (void)crypto, (void)layout;
    return true;
}

void *tg_openssl_find_certs(const struct tg_libcrypto *crypto, X509_STORE_CTX *context,
                            const X509_NAME *name)
{
    return crypto->X509_STORE_CTX_get_lookup_certs(context)(context, name);
}

void *tg_openssl_find_crls(const struct tg_libcrypto *crypto, X509_STORE_CTX *context,
                           const X509_NAME *name)
{
    return crypto->X509_STORE_CTX_get_lookup_crls(context)(context, name);
}

/* ---- contexts and connections --------------------------------------------------------------- */

bool tg_openssl_calls_new_func(void)
{
    return true;
}

bool tg_openssl_has_bio_callbacks(void)
{
    return true;
}

int tg_openssl_context_index(struct tg_cryptolib *library, const struct tg_hooked *hooked,
                             CRYPTO_EX_new *make, CRYPTO_EX_free *release)
{
    (void)hooked;
    return library->crypto.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, library, make, NULL,
                                                   release);
}

/*
 * Qt's QSslSocket takes one index of its own and, unasked, uses the next two as well: ours must
 * not be among them where it came first.
 */
static bool skip_indexes(const struct tg_libcrypto *crypto)
{
    enum { SKIPPED = 2 };
    int index = 0;

    for (int i = 0; i < SKIPPED && index >= 0; i++)
        index = crypto->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, NULL, NULL, NULL);
    return index >= 0;
}

int tg_openssl_connection_index(struct tg_cryptolib *library, const struct tg_hooked *hooked,
                                CRYPTO_EX_new *make, CRYPTO_EX_dup *copy, CRYPTO_EX_free *release)
{
    (void)hooked;
    if (!skip_indexes(&library->crypto))
        return -1;
    return library->crypto.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, library, make, copy,
                                                   release);
}

/* A context's method is static data of the libssl that made it (SSL_CTX_new(3)). */
const void *tg_openssl_home(const struct tg_hooked *hooked, const SSL_CTX *context)
{
    return hooked->libssl.SSL_CTX_get_ssl_method(context);
}

/* ---- a connection before its verification --------------------------------------------------- */

bool tg_openssl_is_over(const struct tg_hooked *hooked, const SSL *ssl)
{
    return hooked->libssl.SSL_is_init_finished(ssl);
}

int tg_openssl_security_level(const struct tg_hooked *hooked, const SSL *ssl)
{
    return hooked->libssl.SSL_get_security_level(ssl);
}

void tg_openssl_set_security_level(const struct tg_hooked *hooked, SSL *ssl, int level)
{
    hooked->libssl.SSL_set_security_level(ssl, level);
}

/*
 * Before OpenSSL offers a session of TLS 1.2, it gives the session's name where the connection has
 * none (SSL_get_servername(3)): that name says nothing of this server.
 */
const char *tg_openssl_sent_name(const struct tg_hooked *hooked, SSL *ssl)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    const char *name = libssl->SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    SSL_SESSION *session = libssl->SSL_get_session(ssl);

    if (session != NULL && !libssl->SSL_session_reused(ssl) &&
        name == libssl->SSL_SESSION_get0_hostname(session))
        return NULL;
    return name;
}

/* An application that looks at the staple itself keeps its callback. */
static void set_answer(const struct tg_hooked *hooked, SSL_CTX *context,
                       int (*answer)(SSL *, void *))
{
    const struct tg_libssl *libssl = &hooked->libssl;
    int (*theirs)(SSL *, void *) = NULL;

    (void)libssl->SSL_CTX_ctrl(context, SSL_CTRL_GET_TLSEXT_STATUS_REQ_CB, 0, (void *)&theirs);
    if (theirs != NULL)
        return;
    (void)libssl->SSL_CTX_ctrl(context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB_ARG, 0, (void *)hooked);
    (void)libssl->SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB,
                                        (void (*)(void))answer);
}

void tg_openssl_request_staple(const struct tg_hooked *hooked, SSL *ssl,
                               int (*answer)(SSL *, void *))
{
    const struct tg_libssl *libssl = &hooked->libssl;

    if (answer != NULL)
        set_answer(hooked, libssl->SSL_get_SSL_CTX(ssl), answer);
    if (libssl->SSL_ctrl(ssl, SSL_CTRL_GET_TLSEXT_STATUS_REQ_TYPE, 0, NULL) !=
        TLSEXT_STATUSTYPE_ocsp)
        (void)libssl->SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE, TLSEXT_STATUSTYPE_ocsp,
                               NULL);
}

size_t tg_openssl_staple(const struct tg_hooked *hooked, SSL *ssl, const unsigned char **answer)
{
    long length =
        hooked->libssl.SSL_ctrl(ssl, SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP, 0, (void *)answer);

    return length > 0 ? (size_t)length : 0;
}

/* TLS 1.3 sends the staple with the certificate, TLS 1.2 in a message of its own behind it. */
bool tg_openssl_staple_is_late(const struct tg_hooked *hooked, const SSL *ssl)
{
    return hooked->libssl.SSL_version(ssl) != TLS1_3_VERSION;
}

/* ---- sessions ------------------------------------------------------------------------------- */

bool tg_openssl_takes_keys(void)
{
    return true;
}

bool tg_openssl_has_early_data(const struct tg_hooked *hooked, const SSL_SESSION *session)
{
    return session != NULL && hooked->libssl.SSL_SESSION_get_max_early_data(session) > 0;
}

bool tg_openssl_session_digest(const struct tg_hooked *hooked, SSL_SESSION *session,
                               uint8_t digest[TG_SHA256_SIZE])
{
    X509 *leaf = session != NULL ? hooked->libssl.SSL_SESSION_get0_peer(session) : NULL;

    return leaf != NULL && tg_convert_digest(hooked->library, leaf, digest);
}

/*
 * What the application data of a ticket says, which a server alone has a use for (see
 * SSL_SESSION_set1_ticket_appdata(3)): a client sends it to nobody, SSL_SESSION_dup and
 * i2d_SSL_SESSION keep it, and so does what libssl makes of a ticket that comes later.
 */
static const char mark[] = "trustgraft: let in by a policy";

bool tg_openssl_marks_sessions(void)
{
    return true;
}

bool tg_openssl_mark_session(const struct tg_hooked *hooked, SSL_SESSION *session,
                             const uint8_t leaf[TG_SHA256_SIZE])
{
    (void)leaf;
    return session == NULL ||
           hooked->libssl.SSL_SESSION_set1_ticket_appdata(session, mark, sizeof(mark));
}

bool tg_openssl_is_marked(const struct tg_hooked *hooked, SSL_SESSION *session)
{
    void *data = NULL;
    size_t length = 0;

    return session != NULL &&
           hooked->libssl.SSL_SESSION_get0_ticket_appdata(session, &data, &length) &&
           length == sizeof(mark) && memcmp(data, mark, sizeof(mark)) == 0;
}

/* ---- verification --------------------------------------------------------------------------- */

X509_STORE *tg_openssl_store(const struct tg_hooked *hooked, SSL *ssl)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    X509_STORE *store = NULL;

    (void)libssl->SSL_ctrl(ssl, SSL_CTRL_GET_VERIFY_CERT_STORE, 0, (void *)&store);
    return store != NULL ? store : libssl->SSL_CTX_get_cert_store(libssl->SSL_get_SSL_CTX(ssl));
}

bool tg_openssl_leaf_digest(const struct tg_hooked *hooked, const X509_STORE_CTX *context,
                            X509 *leaf, uint8_t digest[TG_SHA256_SIZE])
{
    (void)leaf;
    return tg_convert_digest(hooked->library,
                             hooked->library->crypto.X509_STORE_CTX_get0_cert(context), digest);
}

bool tg_openssl_keeps_leaf(void)
{
    return true;
}

static void stand_at(const struct tg_libcrypto *crypto, X509_STORE_CTX *context, X509 *certificate,
                     int depth, int error)
{
    crypto->X509_STORE_CTX_set_error(context, error);
    crypto->X509_STORE_CTX_set_error_depth(context, depth);
    crypto->X509_STORE_CTX_set_current_cert(context, certificate);
}

/* As X509_verify_cert(3) does on its way from the anchor to the leaf. */
static bool call_along(const struct tg_libcrypto *crypto, X509_STORE_CTX *context,
                       const void *chain)
{
    X509_STORE_CTX_verify_cb callback = crypto->X509_STORE_CTX_get_verify_cb(context);

    for (int depth = crypto->OPENSSL_sk_num(chain) - 1; callback != NULL && depth >= 0; depth--) {
        crypto->X509_STORE_CTX_set_error_depth(context, depth);
        crypto->X509_STORE_CTX_set_current_cert(context,
                                                crypto->OPENSSL_sk_value(chain, (size_t)depth));
        if (!callback(1, context))
            return false;
    }
    return true;
}

bool tg_openssl_accept_context(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                               void *chain)
{
    const struct tg_libcrypto *crypto = &hooked->library->crypto;

    (void)ssl;
    crypto->X509_STORE_CTX_set0_verified_chain(context, chain);
    stand_at(crypto, context, crypto->X509_STORE_CTX_get0_cert(context), 0, X509_V_OK);
    return call_along(crypto, context, chain);
}

/* As X509_verify_cert would; what the application answers doesn't count. */
void tg_openssl_refuse_context(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                               void *path, int error, int depth)
{
    const struct tg_libcrypto *crypto = &hooked->library->crypto;
    X509 *leaf = crypto->X509_STORE_CTX_get0_cert(context), *certificate = leaf;
    X509_STORE_CTX_verify_cb callback = crypto->X509_STORE_CTX_get_verify_cb(context);

    (void)ssl;
    if (path != NULL && depth < crypto->OPENSSL_sk_num(path))
        certificate = crypto->OPENSSL_sk_value(path, (size_t)depth);
    stand_at(crypto, context, certificate, depth, error);
    if (callback != NULL && certificate != NULL)
        (void)callback(0, context);
    stand_at(crypto, context, leaf, depth, error);
}

const void *tg_openssl_own_path(const struct tg_hooked *hooked, SSL *ssl, bool *good)
{
    *good = hooked->libssl.SSL_get_verify_result(ssl) == X509_V_OK;
    return hooked->libssl.SSL_get0_verified_chain(ssl);
}

void tg_openssl_set_result(const struct tg_hooked *hooked, SSL *ssl, long error)
{
    hooked->libssl.SSL_set_verify_result(ssl, error);
}

STACK_OF(X509) *tg_openssl_sent(const struct tg_hooked *hooked, const SSL *ssl)
{
    return tg_convert_import_all(hooked->library, hooked->libssl.SSL_get_peer_cert_chain(ssl));
}

/* No application verifies by itself here but in a callback, behind which libssl chooses the alert.
 */
uint8_t tg_openssl_alert_for(const struct tg_hooked *hooked, long error)
{
    (void)hooked, (void)error;
    return SSL_AD_CERTIFICATE_UNKNOWN;
}
