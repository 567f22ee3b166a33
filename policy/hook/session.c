#include "session.h"
#include "accepted.h"
#include "judge.h"
#include "late.h"

/*
 * A session that this policy did not accept for this host, in this process, must not stand in
 * for an evaluation: it may come from a file, from a process without the policy, or from a
 * connection to another host. A session that a policy let in is not the application's own
 * either, for a host that is left to the application. In a renegotiation the session is this
 * connection's own, and
 * libssl can't take it away without the rest of the connection's state.
 */
bool tg_session_is_unknown(const struct tg_hooked *hooked, SSL *ssl,
                           const struct tg_policies *policies, struct tg_peer *peer)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    SSL_SESSION *session = libssl->SSL_get_session(ssl);
    bool known = false;

    if (session == NULL || !libssl->SSL_SESSION_is_resumable(session) ||
        libssl->SSL_get_finished(ssl, NULL, 0) > 0)
        return false;
    for (size_t i = 0; i < policies->count; i++) {
        if (tg_accepted(&(struct tg_admission){hooked, ssl, policies->each[i].policy, peer},
                        session))
            known = true;
        else if (tg_judge_demands(&policies->each[i], peer))
            return true;
    }
    return !known && tg_accepted_marked(hooked, session);
}

/* Without a session libssl makes a full handshake; data can't be sent early then. */
void tg_session_drop(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    const struct tg_libssl *libssl = &hooked->libssl;

    if (state != NULL)
        state->dropped =
            hooked->library->backend->has_early_data(hooked, libssl->SSL_get_session(ssl));
    (void)libssl->SSL_set_session(ssl, NULL);
}

/*
 * The session's number in the ClientHello is one that the client made up for the ticket (RFC 5077
 * section 3.4): without the ticket that number means nothing to the server. Were the session
 * resumed all the same, it would be evaluated when the handshake is done.
 */
static void withhold_ticket(const struct tg_hooked *hooked, SSL *ssl,
                            struct tg_connection_state *state)
{
    if (hooked->libssl.SSL_get_options(ssl) & SSL_OP_NO_TICKET)
        return;
    (void)hooked->libssl.SSL_set_options(ssl, SSL_OP_NO_TICKET);
    state->ticketless = true;
}

/*
 * The ClientHello is being written, too late to take the session away. A TLS 1.3 ticket that
 * is too old isn't offered (RFC 8446 section 4.6.1), and for a ticket that allows for no early data
 * none is announced; a ticket of an earlier version isn't sent. A session without a ticket ends the
 * handshake.
 */
int tg_session_spoil(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state,
                     const struct tg_process *process, const struct tg_peer *peer)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    SSL_SESSION *session = libssl->SSL_get_session(ssl);
    bool early = libssl->SSL_SESSION_get_max_early_data(session) > 0;

    if (libssl->SSL_SESSION_get_protocol_version(session) == TLS1_3_VERSION &&
        (!early || (state != NULL && libssl->SSL_SESSION_set_max_early_data(session, 0)))) {
        if (early)
            state->dropped = true;
        (void)libssl->SSL_SESSION_set_time(session, 1);
        return 0;
    }
    if (state != NULL && libssl->SSL_SESSION_has_ticket(session)) {
        withhold_ticket(hooked, ssl, state);
        return 0;
    }
    tg_late_refuse_session(hooked, process, peer);
    return -1;
}

/* Whether tickets are sent is the application's to say again (withhold_ticket). */
void tg_session_allow_tickets(const struct tg_hooked *hooked, SSL *ssl,
                              struct tg_connection_state *state)
{
    if (state->ticketless)
        (void)hooked->libssl.SSL_clear_options(ssl, SSL_OP_NO_TICKET);
    state->ticketless = false;
}
