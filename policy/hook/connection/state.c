#include "state.h"
#include "pool.h"

static struct tg_pool contexts = {.size = sizeof(struct tg_context_state)};
static struct tg_pool connections = {.size = sizeof(struct tg_connection_state)};

struct tg_connection_state *tg_connection_state_of(const struct tg_hooked *hooked, const SSL *ssl)
{
    return tg_connection_state_at(
        hooked->libssl.SSL_get_ex_data(ssl, hooked->library->connection_index), ssl);
}

struct tg_context_state *tg_context_state_of(const struct tg_hooked *hooked, const SSL_CTX *context)
{
    return tg_context_state_at(
        hooked->libssl.SSL_CTX_get_ex_data(context, hooked->library->context_index), context);
}

struct tg_context_state *tg_context_state_at(void *pointer, const SSL_CTX *context)
{
    return tg_pool_item(&contexts, pointer, context);
}

struct tg_connection_state *tg_connection_state_at(void *pointer, const SSL *ssl)
{
    return tg_pool_item(&connections, pointer, ssl);
}

struct tg_connection_state *tg_connection_state_any(void *pointer)
{
    return tg_pool_has(&connections, pointer) ? pointer : NULL;
}

struct tg_connection_state *tg_connection_state_find(const void *ssl)
{
    return tg_pool_find(&connections, ssl);
}

struct tg_context_state *tg_context_state_new(const SSL_CTX *context)
{
    return tg_pool_take(&contexts, context);
}

struct tg_connection_state *tg_connection_state_new(const SSL *ssl)
{
    return tg_pool_take(&connections, ssl);
}

void tg_context_state_free(struct tg_context_state *state)
{
    tg_pool_give(&contexts, state);
}

void tg_connection_state_free(struct tg_connection_state *state)
{
    tg_pool_give(&connections, state);
}

const struct tg_hooked *tg_hooked_of(const struct tg_cryptolib *library, const SSL *ssl,
                                     struct tg_connection_state **state)
{
    const struct tg_hooked *any = tg_hooked_on(library), *hooked = NULL;

    *state = any != NULL ? tg_connection_state_of(any, ssl) : NULL;
    if (*state != NULL && (*state)->hooked != NULL)
        return (*state)->hooked;
    if (any != NULL)
        hooked = tg_hooked_of_context(library, any->libssl.SSL_get_SSL_CTX(ssl));
    if (*state != NULL)
        (*state)->hooked = hooked;
    return hooked;
}

/* A pointer of ours to the state of another connection was copied along with that one. */
static bool is_free(const struct tg_hooked *hooked, const SSL *ssl)
{
    struct tg_cryptolib *library = hooked->library;
    const void *found = hooked->libssl.SSL_get_ex_data(ssl, library->connection_index);

    return (found == NULL || tg_pool_has(&connections, found)) && library->claim != NULL &&
           library->claim(library) & TG_CLAIM_CONNECTION;
}

struct tg_connection_state *tg_connection_state_make(const struct tg_hooked *hooked, SSL *ssl)
{
    struct tg_connection_state *state = tg_connection_state_of(hooked, ssl);

    if (state != NULL)
        return state;
    state = is_free(hooked, ssl) ? tg_connection_state_new(ssl) : NULL;
    if (state == NULL ||
        !hooked->libssl.SSL_set_ex_data(ssl, hooked->library->connection_index, state)) {
        tg_connection_state_free(state);
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
