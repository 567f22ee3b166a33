#include "outcome.h"
#include "alias.h"
#include "arrival.h"
#include "convert.h"
#include "reason.h"
#include "report.h"
#include <openssl/err.h>
#include <stdlib.h>
#include <unistd.h>

int tg_outcome_accept(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                      const struct tg_verdict *verdict, const char *alias)
{
    const struct tg_cryptolib *library = hooked->library;
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
    if (library->backend->accept_context(hooked, ssl, context, chain))
        return 1;
    /* The application refuses what the policy accepts: that stands, and must show as an error. */
    if (crypto->X509_STORE_CTX_get_error(context) == X509_V_OK)
        crypto->X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

void tg_outcome_raise(const struct tg_cryptolib *library, const struct tg_verdict *verdict,
                      const struct tg_peer *peer)
{
    struct tg_occasion occasion = {
        .program = tg_process_program(),
        .pid = getpid(),
        .host = tg_peer_host(peer),
        .port = tg_peer_port(peer),
    };
    char *text = verdict != NULL ? tg_verdict_text(verdict, &occasion) : NULL;

    tg_reason_raised(library->backend->raise_error(
        &library->crypto, text != NULL ? text : "no memory to evaluate the server"));
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

/* The path of VERDICT as LIBRARY's own certificates; the caller's. NULL without memory. */
static void *path_of(const struct tg_cryptolib *library, X509 *leaf,
                     const struct tg_verdict *verdict)
{
    if (leaf == NULL || verdict == NULL || sk_X509_num(verdict->path) < 1)
        return NULL;
    return tg_convert_export_path(library, leaf, verdict->path);
}

static void tell(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                 const struct tg_verdict *verdict, int error)
{
    X509 *leaf = hooked->library->crypto.X509_STORE_CTX_get0_cert(context);
    void *path = path_of(hooked->library, leaf, verdict);

    hooked->library->backend->refuse_context(hooked, ssl, context, path, error,
                                             verdict != NULL ? depth_of(verdict) : 0);
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
    int error = verdict != NULL ? verdict->x509_error : X509_V_ERR_OUT_OF_MEM;

    tg_reason_point(TG_REASON_X509, verdict != NULL ? tg_reason_now() : NULL, error, false);
    if (context != NULL)
        tell(hooked, ssl, context, verdict, error);
    tg_reason_point(TG_REASON_X509, NULL, X509_V_OK, false);
    if (state != NULL) {
        state->forced = !(mode & SSL_VERIFY_PEER);
        state->reason = verdict != NULL ? tg_reason_now() : NULL;
    }
    libssl->SSL_set_verify(ssl, mode | SSL_VERIFY_PEER, libssl->SSL_get_verify_callback(ssl));
    tg_outcome_raise(hooked->library, verdict, peer);
    if (verdict != NULL && !hooked->library->foreign)
        tg_reason_raise(
            tg_cryptolib_is_hooked(hooked->library)); /* libssl puts its own behind it */
    return 0;
}
