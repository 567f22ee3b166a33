#include "boring.h"
#include "convert.h"

/* ---- the application's verify callback ------------------------------------------------------- */

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

int tg_boring_tell(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context, void *chain,
                   int error, int depth)
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
        return 1;
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

/* ---- certificates --------------------------------------------------------------------------- */

STACK_OF(X509) *tg_boring_sent(const struct tg_hooked *hooked, const SSL *ssl)
{
    const struct tg_libcrypto *crypto = &hooked->library->crypto;
    const void *buffers = hooked->libssl.SSL_get0_peer_certificates(ssl);
    STACK_OF(X509) *sent = sk_X509_new_null();

    for (int i = 0; sent != NULL && i < crypto->OPENSSL_sk_num(buffers); i++) {
        const void *buffer = crypto->OPENSSL_sk_value(buffers, (size_t)i);
        X509 *certificate =
            tg_convert_read(crypto->CRYPTO_BUFFER_data(buffer), crypto->CRYPTO_BUFFER_len(buffer));

        if (certificate == NULL || !sk_X509_push(sent, certificate)) {
            X509_free(certificate);
            sk_X509_pop_free(sent, X509_free);
            return NULL;
        }
    }
    return sent;
}
