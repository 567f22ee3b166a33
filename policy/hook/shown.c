#include "shown.h"
#include "gate.h"
#include "hook.h"

bool tg_shown_context(const struct tg_hooked *hooked, SSL_CTX *context)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    struct tg_context_state *state = tg_context_state_new(context);

    if (state == NULL ||
        !libssl->SSL_CTX_set_ex_data(context, hooked->library->context_index, state)) {
        tg_context_state_free(state);
        return false;
    }
    libssl->SSL_CTX_set_cert_verify_callback(context, tg_hook_verify, (void *)hooked);
    return true; // cppcheck-suppress memleak ; the context has it
}

/* Its context may be older than our first sight of this libssl. */
bool tg_shown_connection(const struct tg_hooked *hooked, SSL *ssl)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    SSL_CTX *context = libssl->SSL_get_SSL_CTX(ssl);
    struct tg_connection_state *state = tg_connection_state_new(ssl);

    if (state == NULL || !libssl->SSL_set_ex_data(ssl, hooked->library->connection_index, state)) {
        tg_connection_state_free(state);
        return false;
    }
    state->hooked = hooked;
    if (tg_context_state_of(hooked, context) == NULL && !tg_shown_context(hooked, context))
        return false; // cppcheck-suppress memleak ; the connection has it
    state->custom = tg_context_state_of(hooked, context)->custom;
    libssl->SSL_set_info_callback(ssl, tg_gate_of(hooked->library));
    return true; // cppcheck-suppress memleak ; likewise
}
