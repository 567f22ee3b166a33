#include "hook.h"
#include "mem.h"
#include <openssl/err.h>
#include <stdlib.h>
#include <unistd.h>

/* The verified path with the connection's own leaf in place of an equal one met earlier. */
static STACK_OF(X509) *chain_for(X509 *leaf, const STACK_OF(X509) *path)
{
    STACK_OF(X509) *chain = X509_chain_up_ref((STACK_OF(X509) *)path);

    if (chain == NULL || !X509_up_ref(leaf)) {
        sk_X509_pop_free(chain, X509_free);
        return NULL;
    }
    X509_free(sk_X509_value(chain, 0));
    (void)sk_X509_set(chain, 0, leaf);
    return chain;
}

static void stand_at(X509_STORE_CTX *context, X509 *certificate, int depth, int error)
{
    X509_STORE_CTX_set_error(context, error);
    X509_STORE_CTX_set_error_depth(context, depth);
    X509_STORE_CTX_set_current_cert(context, certificate);
}

/* As X509_verify_cert(3) does on its way from the anchor to the leaf. */
static int call_along(X509_STORE_CTX *context, const STACK_OF(X509) *chain)
{
    X509_STORE_CTX_verify_cb callback = X509_STORE_CTX_get_verify_cb(context);

    for (int depth = sk_X509_num(chain) - 1; callback != NULL && depth >= 0; depth--) {
        X509_STORE_CTX_set_error_depth(context, depth);
        X509_STORE_CTX_set_current_cert(context, sk_X509_value(chain, depth));
        if (!callback(1, context))
            return 0;
    }
    return 1;
}

int tg_outcome_accept(X509_STORE_CTX *context, const struct tg_verdict *verdict, const char *alias)
{
    X509 *leaf = X509_STORE_CTX_get0_cert(context);
    STACK_OF(X509) *chain = NULL;

    if (leaf != NULL)
        chain = chain_for(leaf, verdict->path);
    if (chain == NULL || (alias != NULL && !tg_alias_add(leaf, alias))) {
        sk_X509_pop_free(chain, X509_free);
        X509_STORE_CTX_set_error(context, X509_V_ERR_OUT_OF_MEM);
        return 0;
    }
    X509_STORE_CTX_set0_verified_chain(context, chain);
    stand_at(context, leaf, 0, X509_V_OK);
    if (call_along(context, chain))
        return 1;
    /* The application refuses what the policy accepts: that stands, and must show as an error. */
    if (X509_STORE_CTX_get_error(context) == X509_V_OK)
        X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

void tg_outcome_raise(const struct tg_verdict *verdict, const struct tg_peer *peer)
{
    struct tg_occasion occasion = {
        .program = tg_process_program(),
        .pid = getpid(),
        .host = peer->host[0] != '\0' ? peer->host : NULL,
        .port = peer->port,
    };
    char *text = verdict != NULL ? tg_verdict_text(verdict, &occasion) : NULL;

    ERR_raise_data(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED, "trustgraft: %s",
                   text != NULL ? text : "no memory to evaluate the server");
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

/*
 * VERDICT is NULL where memory ran out. The application's verify callback is told, as
 * X509_verify_cert would, but has no say; SSL_VERIFY_PEER makes libssl heed the refusal where
 * the application switched verification off (libssl reads the mode after this callback).
 */
int tg_outcome_refuse(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                      const struct tg_verdict *verdict, const struct tg_peer *peer)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    X509_STORE_CTX_verify_cb callback = X509_STORE_CTX_get_verify_cb(context);
    int error = verdict != NULL ? verdict->x509_error : X509_V_ERR_OUT_OF_MEM;
    int depth = verdict != NULL ? depth_of(verdict) : 0;
    X509 *certificate = verdict != NULL ? sk_X509_value(verdict->path, depth) : NULL;

    if (certificate == NULL)
        certificate = X509_STORE_CTX_get0_cert(context);
    stand_at(context, certificate, depth, error);
    if (callback != NULL && certificate != NULL)
        (void)callback(0, context);
    stand_at(context, certificate, depth, error);
    libssl->SSL_set_verify(ssl, libssl->SSL_get_verify_mode(ssl) | SSL_VERIFY_PEER,
                           libssl->SSL_get_verify_callback(ssl));
    tg_outcome_raise(verdict, peer);
    return 0;
}
