#include "outcome.h"
#include "alias.h"
#include "boring.h"
#include "convert.h"
#include "process.h"
#include <openssl/err.h>
#include <stdlib.h>
#include <unistd.h>

static void stand_at(const struct tg_libcrypto *crypto, X509_STORE_CTX *context, X509 *certificate,
                     int depth, int error)
{
    crypto->X509_STORE_CTX_set_error(context, error);
    crypto->X509_STORE_CTX_set_error_depth(context, depth);
    crypto->X509_STORE_CTX_set_current_cert(context, certificate);
}

/* As X509_verify_cert(3) does on its way from the anchor to the leaf. */
static int call_along(const struct tg_libcrypto *crypto, X509_STORE_CTX *context, const void *chain)
{
    X509_STORE_CTX_verify_cb callback = crypto->X509_STORE_CTX_get_verify_cb(context);

    for (int depth = crypto->OPENSSL_sk_num(chain) - 1; callback != NULL && depth >= 0; depth--) {
        crypto->X509_STORE_CTX_set_error_depth(context, depth);
        crypto->X509_STORE_CTX_set_current_cert(context,
                                                crypto->OPENSSL_sk_value(chain, (size_t)depth));
        if (!callback(1, context))
            return 0;
    }
    return 1;
}

/* Takes CHAIN over. */
static int hand_over(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context, void *chain)
{
    const struct tg_libcrypto *crypto = &hooked->library->crypto;
    int agreed;

    if (hooked->library->kind == TG_KIND_BORINGSSL) {
        agreed = tg_boring_tell(hooked, ssl, context, chain, X509_V_OK, 0);
        tg_convert_free(hooked->library, chain);
        return agreed;
    }
    crypto->X509_STORE_CTX_set0_verified_chain(context, chain);
    stand_at(crypto, context, crypto->X509_STORE_CTX_get0_cert(context), 0, X509_V_OK);
    return call_along(crypto, context, chain);
}

int tg_outcome_accept(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                      const struct tg_verdict *verdict, const char *alias)
{
    const struct tg_library *library = hooked->library;
    const struct tg_libcrypto *crypto = &hooked->library->crypto;
    X509 *leaf = crypto->X509_STORE_CTX_get0_cert(context);
    void *chain = NULL;

    if (leaf != NULL)
        chain = tg_convert_export_path(library, leaf, verdict->path);
    if (chain == NULL ||
        (alias != NULL && !tg_alias_add(library, leaf, sk_X509_value(verdict->path, 0), alias))) {
        tg_convert_free(library, chain);
        crypto->X509_STORE_CTX_set_error(context, X509_V_ERR_OUT_OF_MEM);
        return 0;
    }
    if (hand_over(hooked, ssl, context, chain))
        return 1;
    /* The application refuses what the policy accepts: that stands, and must show as an error. */
    if (crypto->X509_STORE_CTX_get_error(context) == X509_V_OK)
        crypto->X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

/* BoringSSL's numbers (its include/openssl/err.h and ssl.h) are others than OpenSSL's. */
#define BORING_ERR_LIB_SSL                     16
#define BORING_SSL_R_CERTIFICATE_VERIFY_FAILED 125

static void raise_text(const struct tg_library *library, const char *text)
{
    const struct tg_libcrypto *crypto = &library->crypto;
    bool boring = library->kind == TG_KIND_BORINGSSL;

    if (library->kind == TG_KIND_OPENSSL_3) {
        crypto->ERR_new();
        crypto->ERR_set_debug(OPENSSL_FILE, OPENSSL_LINE, OPENSSL_FUNC);
        crypto->ERR_set_error(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED, "trustgraft: %s", text);
        return;
    }
    (crypto->ERR_put_error)(boring ? BORING_ERR_LIB_SSL : ERR_LIB_SSL, 0,
                            boring ? BORING_SSL_R_CERTIFICATE_VERIFY_FAILED
                                   : SSL_R_CERTIFICATE_VERIFY_FAILED,
                            OPENSSL_FILE, OPENSSL_LINE);
    crypto->ERR_add_error_data(2, "trustgraft: ", text);
}

void tg_outcome_raise(const struct tg_library *library, const struct tg_verdict *verdict,
                      const struct tg_peer *peer)
{
    struct tg_occasion occasion = {
        .program = tg_process_program(),
        .pid = getpid(),
        .host = tg_peer_host(peer),
        .port = tg_peer_port(peer),
    };
    char *text = verdict != NULL ? tg_verdict_text(verdict, &occasion) : NULL;

    raise_text(library, text != NULL ? text : "no memory to evaluate the server");
    free(text);
}

/* Where the first finding of the verdict's code stands. */
static int depth_of(const struct tg_verdict *verdict)
{
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (verdict->findings[i].x509_error == verdict->x509_error)
            return verdict->findings[i].depth;
    return 0;
}

/* Their certificate at DEPTH of the verdict's path; owned by the caller. NULL without memory. */
static void *path_of(const struct tg_library *library, X509 *leaf, const struct tg_verdict *verdict)
{
    if (leaf == NULL || verdict == NULL || sk_X509_num(verdict->path) < 1)
        return NULL;
    return tg_convert_export_path(library, leaf, verdict->path);
}

/* As X509_verify_cert would; what the application answers doesn't count. */
static void tell(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                 const struct tg_verdict *verdict, int error)
{
    const struct tg_libcrypto *crypto = &hooked->library->crypto;
    X509 *leaf = crypto->X509_STORE_CTX_get0_cert(context), *certificate = leaf;
    int depth = verdict != NULL ? depth_of(verdict) : 0;
    void *path = path_of(hooked->library, leaf, verdict);
    X509_STORE_CTX_verify_cb callback = NULL;

    if (hooked->library->kind == TG_KIND_BORINGSSL) {
        (void)tg_boring_tell(hooked, ssl, context, path, error, depth);
        crypto->X509_STORE_CTX_set_error(context, error);
    } else {
        if (path != NULL && depth < crypto->OPENSSL_sk_num(path))
            certificate = crypto->OPENSSL_sk_value(path, (size_t)depth);
        callback = crypto->X509_STORE_CTX_get_verify_cb(context);
        stand_at(crypto, context, certificate, depth, error);
        if (callback != NULL && certificate != NULL)
            (void)callback(0, context);
        stand_at(crypto, context, leaf, depth, error);
    }
    tg_convert_free(hooked->library, path);
}

/*
 * VERDICT is NULL where memory ran out, CONTEXT where BoringSSL's application verifies itself.
 * SSL_VERIFY_PEER makes libssl heed the refusal where the application switched verification
 * off (libssl reads the mode after this callback; the gate takes it back once the alert is out).
 */
int tg_outcome_refuse(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                      const struct tg_verdict *verdict, const struct tg_peer *peer)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    struct tg_connection_state *state = tg_connection_state_of(hooked, ssl);
    int mode = libssl->SSL_get_verify_mode(ssl);

    if (context != NULL)
        tell(hooked, ssl, context, verdict,
             verdict != NULL ? verdict->x509_error : X509_V_ERR_OUT_OF_MEM);
    if (state != NULL)
        state->forced = !(mode & SSL_VERIFY_PEER);
    libssl->SSL_set_verify(ssl, mode | SSL_VERIFY_PEER, libssl->SSL_get_verify_callback(ssl));
    tg_outcome_raise(hooked->library, verdict, peer);
    return 0;
}
