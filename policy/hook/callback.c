/*
 * callback.c - tg_verify_callback (libtrustgraft(3)), by which a program itself puts a context
 * under a policy. libssl calls it for a certificate alone: for the staple that comes behind that,
 * and for sessions, the gate is put on such a context when the context is first met.
 */
#include "exdata.h"
#include "gate.h"
#include "given.h"
#include "hook.h"

/* The gate on the context, for the connections that it makes later. */
static void raise_gate(const struct tg_hooked *hooked, SSL_CTX *context, struct tg_given *given)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    tg_info_callback *gate = tg_gate_of(hooked->library);
    tg_info_callback *theirs = libssl->SSL_CTX_get_info_callback(context);

    if (theirs == gate || tg_context_state_of(hooked, context) != NULL)
        return;
    tg_given_set_info(given, theirs);
    libssl->SSL_CTX_set_info_callback(context, gate);
}

/* False: whoever can't come back to this connection later must refuse it now. */
static bool guard(const struct tg_hooked *hooked, SSL *ssl, const tg_policy *policy)
{
    SSL_CTX *context = hooked->libssl.SSL_get_SSL_CTX(ssl);
    struct tg_given *given =
        tg_exdata_register(hooked->library, hooked) ? tg_given_put(context, policy) : NULL;
    struct tg_connection_state *state =
        given != NULL ? tg_connection_state_make(hooked, ssl) : NULL;

    if (state == NULL)
        return false;
    raise_gate(hooked, context, given);
    (void)tg_gate_restore(hooked, ssl);
    if (!state->started) {
        state->started = true;
        tg_wire_watch(hooked, ssl, state, true);
    }
    return true;
}

int tg_verify_callback(X509_STORE_CTX *context, void *policy)
{
    const struct tg_hooked *hooked = tg_hooked_any();
    SSL *ssl = hooked != NULL ? tg_connection_of(hooked, context) : NULL;

    if (hooked == NULL) {
        X509_STORE_CTX_set_error(context, X509_V_ERR_UNSPECIFIED);
        return 0;
    }
    if (ssl != NULL && !hooked->libssl.SSL_is_server(ssl) && !guard(hooked, ssl, policy))
        return tg_hook_refuse(context, (void *)hooked);
    return tg_hook_verify_under(hooked, context, policy);
}
