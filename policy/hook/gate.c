#include "hook.h"
#include "keys.h"
#include <errno.h>
#include <openssl/err.h>

/*
 * A session that this policy did not accept for this host, in this process, must not stand in
 * for an evaluation: it may come from a file, from a process without the policy, or from a
 * connection to another host. In a renegotiation it is this connection's own, and libssl can't
 * take it away without the rest of the connection's state.
 */
static bool session_is_unknown(const struct tg_hooked *hooked, SSL *ssl,
                               const struct tg_process *process)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    SSL_SESSION *session = libssl->SSL_get_session(ssl);
    struct tg_peer peer;

    if (session == NULL || !libssl->SSL_SESSION_is_resumable(session) ||
        libssl->SSL_get_finished(ssl, NULL, 0) > 0)
        return false;
    tg_peer_of(hooked, ssl, &peer);
    return tg_judge_demands(process, &peer) &&
           !tg_known(process->policy, &peer, libssl->SSL_SESSION_get0_peer(session),
                     libssl->SSL_SESSION_get_protocol_version(session));
}

/* A context as libssl makes one for verification; NULL without memory. */
static X509_STORE_CTX *make_context(const struct tg_libssl *libssl, SSL *ssl, X509 *leaf,
                                    STACK_OF(X509) *sent)
{
    X509_STORE *store = NULL;
    X509_STORE_CTX *context = X509_STORE_CTX_new();

    (void)libssl->SSL_ctrl(ssl, SSL_CTRL_GET_VERIFY_CERT_STORE, 0, (void *)&store);
    if (store == NULL)
        store = libssl->SSL_CTX_get_cert_store(libssl->SSL_get_SSL_CTX(ssl));
    if (context != NULL && X509_STORE_CTX_init(context, store, leaf, sent) &&
        X509_STORE_CTX_set_default(context, "ssl_server") &&
        X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(context), libssl->SSL_get0_param(ssl)))
        return context;
    X509_STORE_CTX_free(context);
    return NULL;
}

/* What QUIC does (BIO_recvmmsg(3), since OpenSSL 3.2): BIO_CB_RECVMMSG and BIO_CB_SENDMMSG. */
enum { RECEIVE_DATAGRAMS = 7, SEND_DATAGRAMS = 8 };

/* A BIO_callback_fn_ex: nothing is written or read any more. */
static long stop(BIO *bio, int operation, const char *data, size_t length, int argument, long more,
                 int returned, size_t *written)
{
    (void)data, (void)length, (void)argument, (void)more, (void)written;
    if (operation != BIO_CB_WRITE && operation != BIO_CB_READ && operation != RECEIVE_DATAGRAMS &&
        operation != SEND_DATAGRAMS)
        return returned;
    BIO_clear_retry_flags(bio);
    return -1;
}

/* The connection stays open, but neither reads nor writes application data any more. */
static void shut(const struct tg_libssl *libssl, SSL *ssl)
{
    BIO *out = libssl->SSL_get_wbio(ssl), *in = libssl->SSL_get_rbio(ssl);

    /*
     * A write that has made the handshake itself is past the look at the shutdown, and an
     * application could take the shutdown back.
     */
    if (out != NULL)
        BIO_set_callback_ex(out, stop);
    if (in != NULL)
        BIO_set_callback_ex(in, stop);
    libssl->SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

/*
 * The handshake is done and our verify callback was never asked: the application has put one
 * of its own in its place (which a provider can't prevent), the server showed no certificate
 * (PSK, anonymous), or a session was resumed. The policy has the last word all the same; it
 * can only be stricter here, for the application has decided already. False: refused.
 */
static bool judge_late(const struct tg_hooked *hooked, SSL *ssl, const struct tg_process *process)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    STACK_OF(X509) *sent = libssl->SSL_get_peer_cert_chain(ssl);
    SSL_SESSION *session = libssl->SSL_get_session(ssl);
    X509 *leaf = session != NULL ? libssl->SSL_SESSION_get0_peer(session) : NULL;
    struct tg_query query = {
        .leaf = leaf, .sent = sent, .security_level = libssl->SSL_get_security_level(ssl)};
    struct tg_judgement judgement = {.leave = false};
    struct tg_peer peer;
    bool refuse = false;

    tg_peer_of(hooked, ssl, &peer);
    tg_status_read(hooked, ssl, &query);
    query.staple_pending = false;
    if (libssl->SSL_session_reused(ssl) &&
        tg_known(process->policy, &peer, leaf, libssl->SSL_version(ssl)))
        return true;
    query.app = make_context(libssl, ssl, leaf, sent);
    if (query.app != NULL)
        judgement = tg_judge(process, process->policy, &peer, &query);
    if (judgement.verdict != NULL)
        tg_log_verdict(process, judgement.verdict, query.host, peer.port);
    if (!judgement.leave) {
        refuse = judgement.verdict == NULL || !judgement.verdict->accepted;
    } else {
        tg_verdict_free(judgement.verdict);
        judgement.verdict = tg_judge_distrust(process, process->policy, &query, NULL, &refuse);
    }
    X509_STORE_CTX_free(query.app);
    if (refuse) {
        libssl->SSL_set_verify_result(ssl, judgement.verdict != NULL ? judgement.verdict->x509_error
                                                                     : X509_V_ERR_OUT_OF_MEM);
        tg_outcome_raise(judgement.verdict, &peer);
    } else if (!judgement.leave && query.host != NULL && tg_alias_add(leaf, query.host)) {
        tg_known_add(process->policy, &peer, leaf, query.tls_version,
                     judgement.verdict->valid_until);
    }
    tg_verdict_free(judgement.verdict);
    return !refuse;
}

/* What the policy asks of the connection itself. */
static void prepare(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state,
                    const struct tg_process *process)
{
    const struct tg_rule *rule = NULL;
    struct tg_peer peer;

    tg_peer_of(hooked, ssl, &peer);
    rule = tg_judge_rule(process, &peer);
    tg_status_request(hooked, ssl, rule);
    if (rule != NULL && rule->mode == TG_MODE_ENFORCE &&
        (rule->set & TG_KEY_BIT(TG_KEY_SECURITY_LEVEL)))
        hooked->libssl.SSL_set_security_level(ssl, (int)rule->security_level);
    if (state != NULL && tg_judge_demands(process, &peer))
        tg_wire_watch(hooked, ssl, state);
}

static void start(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    const struct tg_process *process = tg_process_enter();

    if (state != NULL) {
        state->started = true;
        state->judged = false;
    }
    prepare(hooked, ssl, state, process);
    /* Without it libssl makes a full handshake. */
    if (session_is_unknown(hooked, ssl, process))
        (void)hooked->libssl.SSL_set_session(ssl, NULL);
    tg_process_leave(process);
}

bool tg_gate_judge(const struct tg_hooked *hooked, SSL *ssl)
{
    struct tg_connection_state *state = tg_connection_state_of(ssl);
    const struct tg_process *process = NULL;
    bool passed;

    if (state != NULL && state->judged)
        return true;
    process = tg_process_enter();
    passed = judge_late(hooked, ssl, process);
    tg_process_leave(process);
    if (state != NULL)
        state->judged = true;
    return passed;
}

/*
 * Where data is to go out early, libssl says once before that the handshake is done. The session
 * or key that it goes out under has to pass as well, and the server is yet to be met.
 */
static void finish(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    bool passed = tg_gate_judge(hooked, ssl);

    if (state != NULL && hooked->libssl.SSL_is_init_finished(ssl))
        tg_wire_leave(state);
    else if (state != NULL)
        state->judged = false;
    if (!passed)
        shut(&hooked->libssl, ssl);
}

void tg_gate_look(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    (void)tg_gate_restore(hooked, ssl);
    if (hooked->libssl.SSL_is_init_finished(ssl))
        finish(hooked, ssl, state);
}

static void watch(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state,
                  int where)
{
    if (hooked->libssl.SSL_is_server(ssl))
        return;
    if (where & SSL_CB_HANDSHAKE_START)
        start(hooked, ssl, state);
    else
        finish(hooked, ssl, state);
}

void tg_gate_raise(const struct tg_hooked *hooked, SSL *ssl)
{
    if (hooked->libssl.SSL_get_info_callback(ssl) == NULL)
        hooked->libssl.SSL_set_info_callback(ssl, tg_gate);
}

void tg_gate(const SSL *connection, int where, int value)
{
    const struct tg_hooked *hooked = tg_hooked_of(connection);
    SSL *ssl = (SSL *)connection;
    struct tg_connection_state *state = tg_connection_state_of(ssl);
    tg_info_callback *next = state != NULL ? state->info : NULL;
    int saved = errno;

    if (hooked == NULL)
        return;
    if (where & SSL_CB_HANDSHAKE_START)
        tg_gate_raise(hooked, ssl);
    if (where & (SSL_CB_HANDSHAKE_START | SSL_CB_HANDSHAKE_DONE))
        watch(hooked, ssl, state, where);
    errno = saved;
    if (next == NULL)
        next = hooked->libssl.SSL_CTX_get_info_callback(hooked->libssl.SSL_get_SSL_CTX(ssl));
    if (next != NULL && next != tg_gate)
        next(connection, where, value);
}

bool tg_gate_restore(const struct tg_hooked *hooked, SSL *ssl)
{
    struct tg_connection_state *state = tg_connection_state_of(ssl);
    tg_info_callback *theirs = hooked->libssl.SSL_get_info_callback(ssl);

    if (theirs == tg_gate || state == NULL)
        return false;
    state->info = theirs;
    hooked->libssl.SSL_set_info_callback(ssl, tg_gate);
    return true;
}

/*
 * The ClientHello is being written, too late to take the session away. A TLS 1.3 ticket that
 * is too old isn't offered (RFC 8446 section 4.6.1); another session ends the handshake, as
 * does early data, which would go out before any evaluation.
 */
static int forget_session(const struct tg_hooked *hooked, SSL *ssl,
                          const struct tg_process *process)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    SSL_SESSION *session = libssl->SSL_get_session(ssl);
    struct tg_verdict *verdict = NULL;
    struct tg_peer peer;

    if (libssl->SSL_SESSION_get_protocol_version(session) == TLS1_3_VERSION &&
        libssl->SSL_SESSION_get_max_early_data(session) == 0) {
        (void)libssl->SSL_SESSION_set_time(session, 1);
        return 0;
    }
    tg_peer_of(hooked, ssl, &peer);
    verdict = tg_verdict_refuse(TG_HOST_REJECTED, "the program resumes a session that this policy "
                                                  "did not evaluate");
    if (verdict != NULL)
        tg_log_verdict(process, verdict, peer.host[0] != '\0' ? peer.host : NULL, peer.port);
    tg_outcome_raise(verdict, &peer);
    tg_verdict_free(verdict);
    return -1;
}

/* What the gate does at the start of a handshake, where it wasn't there to see it. */
static int start_late(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    const struct tg_process *process = tg_process_enter();
    int written = 0; /* 0: the extension isn't sent */

    prepare(hooked, ssl, state, process);
    if (session_is_unknown(hooked, ssl, process))
        written = forget_session(hooked, ssl, process);
    tg_process_leave(process);
    return written;
}

int tg_gate_hello(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                  size_t *length, X509 *certificate, size_t index, int *alert, void *arg)
{
    const struct tg_hooked *hooked = tg_hooked_of(ssl);
    struct tg_connection_state *state = tg_connection_state_of(ssl);
    int saved = errno, written = 0;

    (void)type, (void)context, (void)out, (void)length, (void)certificate, (void)index, (void)arg;
    if (hooked == NULL || hooked->libssl.SSL_is_server(ssl))
        return 0;
    /* Whoever replaced it did so before it saw this handshake start. */
    if (tg_gate_restore(hooked, ssl))
        state->started = state->judged = false;
    if (state == NULL || !state->started)
        written = start_late(hooked, ssl, state);
    *alert = SSL_AD_HANDSHAKE_FAILURE;
    errno = saved;
    return written;
}
