#include "offer.h"

void tg_offer_note(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    SSL_SESSION *session = hooked->libssl.SSL_get_session(ssl);
    bool offered = session != NULL && hooked->libssl.SSL_SESSION_is_resumable(session);

    state->offered = offered ? session : NULL;
}

void tg_offer_none(struct tg_connection_state *state)
{
    state->offered = NULL;
}

/*
 * In TLS 1.3 a session that is resumed stays the connection's own until the handshake is done, and
 * a key takes its place only when the server chooses it. Before that, data that goes out early
 * under a key goes out because the session doesn't allow for any.
 */
bool tg_offer_is_key(const struct tg_hooked *hooked, SSL *ssl)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    const struct tg_connection_state *state = tg_connection_state_of(hooked, ssl);
    SSL_SESSION *session = libssl->SSL_get_session(ssl);
    bool offered = state != NULL && state->offered == session;

    if (!hooked->library->backend->takes_keys() || session == NULL ||
        libssl->SSL_SESSION_get_protocol_version(session) != TLS1_3_VERSION)
        return false;
    if (libssl->SSL_session_reused(ssl))
        return !offered;
    return offered && !hooked->library->backend->has_early_data(hooked, session);
}
