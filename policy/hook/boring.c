#include "boring.h"
#include <errno.h>
#include <stdlib.h>

int tg_boring_context(const struct tg_hooked *hooked, SSL_CTX *context)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    struct tg_context_state *state = calloc(1, sizeof(*state));

    if (state == NULL ||
        !libssl->SSL_CTX_set_ex_data(context, hooked->library->context_index, state)) {
        free(state);
        return 0;
    }
    libssl->SSL_CTX_set_cert_verify_callback(context, tg_hook_verify, (void *)hooked);
    return 1; // cppcheck-suppress memleak ; the context has it
}

/* Its context may be older than our first sight of this libssl. */
int tg_boring_connection(const struct tg_hooked *hooked, SSL *ssl)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    SSL_CTX *context = libssl->SSL_get_SSL_CTX(ssl);
    struct tg_connection_state *state = calloc(1, sizeof(*state));

    if (state == NULL || !libssl->SSL_set_ex_data(ssl, hooked->library->connection_index, state)) {
        free(state);
        return 0;
    }
    state->hooked = hooked;
    if (tg_context_state_of(hooked, context) == NULL && !tg_boring_context(hooked, context))
        return 0; // cppcheck-suppress memleak ; the connection has it
    state->custom = tg_context_state_of(hooked, context)->custom;
    libssl->SSL_set_info_callback(ssl, tg_gate_of(hooked->library));
    return 1; // cppcheck-suppress memleak ; likewise
}

tg_custom_callback *tg_boring_custom(const struct tg_hooked *hooked, const SSL *ssl)
{
    const struct tg_connection_state *state = tg_connection_state_of(hooked, ssl);

    return state != NULL ? state->custom : NULL;
}

/* ---- custom_verify, whose callback carries no argument --------------------------------------- */

static int custom(size_t number, SSL *ssl, uint8_t *alert)
{
    const struct tg_hooked *hooked = tg_hooked_of(tg_library_number(number), ssl);

    return hooked != NULL ? tg_hook_verify_custom(hooked, ssl, alert) : TG_CUSTOM_INVALID;
}

#define CUSTOM(number)                                                                             \
    static int custom_##number(SSL *ssl, uint8_t *alert)                                           \
    {                                                                                              \
        return custom(number, ssl, alert);                                                         \
    }
CUSTOM(0)
CUSTOM(1)
CUSTOM(2)
CUSTOM(3)

tg_custom_callback *tg_boring_custom_of(const struct tg_library *library)
{
    static tg_custom_callback *const customs[TG_LIBRARIES] = {custom_0, custom_1, custom_2,
                                                              custom_3};

    return customs[library->number];
}

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
