#include "level.h"

void tg_level_lend(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state,
                   int level)
{
    const struct tg_backend *backend = hooked->library->backend;
    int own = backend->security_level(hooked, ssl);

    if (state != NULL)
        state->level = (struct tg_lent_level){.lent = true, .own = own, .rule = level};
    if (state != NULL || level > own)
        backend->set_security_level(hooked, ssl, level);
}

void tg_level_return(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    const struct tg_backend *backend = hooked->library->backend;

    if (state->level.lent && backend->security_level(hooked, ssl) == state->level.rule)
        backend->set_security_level(hooked, ssl, state->level.own);
    state->level.lent = false;
}
