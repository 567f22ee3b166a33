#include "state.h"
#include <stdlib.h>

struct tg_connection_state *tg_connection_state_of(const struct tg_hooked *hooked, const SSL *ssl)
{
    return hooked->libssl.SSL_get_ex_data(ssl, hooked->library->connection_index);
}

struct tg_context_state *tg_context_state_of(const struct tg_hooked *hooked, const SSL_CTX *context)
{
    return hooked->libssl.SSL_CTX_get_ex_data(context, hooked->library->context_index);
}

const struct tg_hooked *tg_hooked_of(const struct tg_cryptolib *library, const SSL *ssl)
{
    const struct tg_hooked *any = tg_hooked_on(library), *hooked = NULL;
    struct tg_connection_state *state = NULL;

    if (any == NULL)
        return NULL;
    state = tg_connection_state_of(any, ssl);
    if (state != NULL && state->hooked != NULL)
        return state->hooked;
    hooked = tg_hooked_of_context(library, any->libssl.SSL_get_SSL_CTX(ssl));
    if (state != NULL)
        state->hooked = hooked;
    return hooked;
}

struct tg_connection_state *tg_connection_state_make(const struct tg_hooked *hooked, SSL *ssl)
{
    struct tg_connection_state *state = tg_connection_state_of(hooked, ssl);

    if (state != NULL)
        return state;
    state = calloc(1, sizeof(*state));
    if (state == NULL ||
        !hooked->libssl.SSL_set_ex_data(ssl, hooked->library->connection_index, state)) {
        free(state);
        return NULL;
    }
    state->hooked = hooked;
    return state; // cppcheck-suppress memleak ; the connection has it
}

void tg_connection_state_forget_leaf(struct tg_connection_state *state)
{
    X509_free(state->pristine);
    state->pristine = NULL;
}

SSL *tg_connection_of(const struct tg_hooked *hooked, const X509_STORE_CTX *context)
{
    return hooked->library->crypto.X509_STORE_CTX_get_ex_data(
        context, hooked->libssl.SSL_get_ex_data_X509_STORE_CTX_idx());
}
