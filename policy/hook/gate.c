#include "gate.h"
#include "given.h"
#include "judge.h"
#include "late.h"
#include "level.h"
#include "offer.h"
#include "peer.h"
#include "prepare.h"
#include "queue.h"
#include "session.h"
#include "verifier.h"
#include <errno.h>
#include <openssl/err.h>
#include <string.h>

/* The connection stays open, but neither reads nor writes application data any more. */
static void shut(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    /*
     * A write that has made the handshake itself is past OpenSSL's look at the shutdown, and an
     * application could take the shutdown back. BoringSSL looks late enough, and keeps it.
     */
    tg_wire_stop(hooked, ssl, state);
    hooked->libssl.SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

/* A renegotiation is with the same peer. */
static void forget_peer(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    if (hooked->libssl.SSL_get_finished(ssl, NULL, 0) == 0)
        tg_peer_forget(state);
}

static void start(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    struct tg_policies policies;
    struct tg_peer peer;

    if (state != NULL) {
        tg_session_allow_tickets(hooked, ssl, state);
        forget_peer(hooked, ssl, state);
        state->started = true;
        state->judged = state->refused = state->asking = state->dropped = false;
        tg_connection_state_forget_leaf(state);
    }
    tg_policies_enter(hooked, ssl, &policies);
    tg_peer_of(hooked, ssl, &peer);
    (void)tg_prepare(hooked, ssl, state, &policies, &peer, tg_gate_staple);
    if (tg_session_is_unknown(hooked, ssl, &policies, &peer))
        tg_session_drop(hooked, ssl, state);
    if (state != NULL)
        tg_offer_note(hooked, ssl, state);
    tg_peer_keep_matches(state, &peer);
    tg_policies_leave(&policies);
}

/* The verdict on a handshake that has none yet, once the staple has come. False: refused. */
static bool judge(const struct tg_hooked *hooked, SSL *ssl)
{
    struct tg_connection_state *state = tg_connection_state_of(hooked, ssl);
    struct tg_policies policies;
    bool passed = true;

    if (state != NULL && state->judged)
        return !state->refused;
    tg_policies_enter(hooked, ssl, &policies);
    for (size_t i = 0; passed && i < policies.count; i++)
        passed = tg_late_judge(hooked, ssl, &policies.each[i], &policies);
    tg_policies_leave(&policies);
    if (state != NULL) {
        state->judged = true;
        state->refused = !passed;
    }
    return passed;
}

/*
 * What SSL_CTX_set_tlsext_status_cb(3) is given: 1 to go on, 0 to refuse with an alert. Without it
 * a TLS 1.2 server hears of a refusal for its staple only by the silence that follows.
 */
int tg_gate_staple(SSL *ssl, void *arg)
{
    const struct tg_hooked *hooked = arg;

    if (hooked->libssl.SSL_is_server(ssl))
        return SSL_TLSEXT_ERR_NOACK;
    return judge(hooked, ssl);
}

static bool is_over(const struct tg_hooked *hooked, const SSL *ssl)
{
    return hooked->library->backend->is_over(hooked, ssl);
}

/* Data is to go out early under a session that had to be dropped: libssl makes no full handshake
 * then, but ends the handshake as an error of its own, without a word on the error queue. */
static void refuse_early(const struct tg_hooked *hooked, SSL *ssl)
{
    struct tg_policies policies;
    struct tg_peer peer;

    tg_peer_of(hooked, ssl, &peer);
    tg_policies_enter(hooked, ssl, &policies);
    tg_late_refuse_session(hooked, &policies.each[policies.count - 1], &peer);
    tg_policies_leave(&policies);
}

/*
 * Where data is to go out early, libssl says that the handshake is done once before that data goes
 * out, and once at the end. The session or key that the data goes out under has to pass as well,
 * and the server's certificate is yet to come.
 */
static void finish(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    bool early = state != NULL && state->dropped && !is_over(hooked, ssl), passed = false;

    if (early)
        refuse_early(hooked, ssl);
    else
        passed = judge(hooked, ssl);

    if (state != NULL && is_over(hooked, ssl)) {
        tg_wire_leave(state);
        tg_connection_state_forget_leaf(state);
        tg_session_allow_tickets(hooked, ssl, state);
        tg_level_return(hooked, ssl, state);
    } else if (state != NULL) {
        state->judged = state->refused = false;
    }
    if (!passed)
        shut(hooked, ssl, state);
}

static void look(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    (void)tg_gate_restore(hooked, ssl);
    if (is_over(hooked, ssl))
        finish(hooked, ssl, state);
}

/* Where a datagram's sender is the peer, only the BIO behind libssl's buffer can tell: later. */
static bool is_told_later(const struct tg_hooked *hooked, SSL *ssl)
{
    struct tg_peer peer;

    tg_peer_of(hooked, ssl, &peer);
    return peer.datagrams && !peer.placed;
}

/*
 * libssl calls new_session_cb and remove_session_cb between this and the end of the handshake that
 * it tells of: there the application may replace the gate, and go on with other BIOs.
 */
static void end(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    int saved = errno;

    (void)tg_gate_restore(hooked, ssl);
    if (hooked->libssl.SSL_get_state(ssl) == TLS_ST_OK && !is_told_later(hooked, ssl) &&
        !judge(hooked, ssl))
        shut(hooked, ssl, state);
    errno = saved;
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
        hooked->libssl.SSL_set_info_callback(ssl, tg_gate_of(hooked->library));
}

/* The handshake is lost, but not the connection: it may be used for another host (SSL_clear(3)). */
static void relent(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    const struct tg_libssl *libssl = &hooked->libssl;

    state->forced = false;
    libssl->SSL_set_verify(ssl, libssl->SSL_get_verify_mode(ssl) & ~SSL_VERIFY_PEER,
                           libssl->SSL_get_verify_callback(ssl));
}

/*
 * Tells the application's own info callback, which may call the callback that it replaced: this
 * gate. The gate ignores an event that it is telling the application of.
 */
static void tell(const struct tg_hooked *hooked, const SSL *ssl, struct tg_connection_state *state,
                 struct tg_event event)
{
    tg_info_callback *next = state != NULL ? state->info : NULL;
    struct tg_event outer = state != NULL ? state->told : event;

    if (next == NULL)
        next = hooked->libssl.SSL_CTX_get_info_callback(hooked->libssl.SSL_get_SSL_CTX(ssl));
    if (next == tg_gate_of(hooked->library))
        next = tg_given_info(hooked->libssl.SSL_get_SSL_CTX(ssl));
    if (next == NULL || next == tg_gate_of(hooked->library))
        return;
    if (state != NULL)
        state->told = event;
    next(ssl, event.where, event.value);
    if (state != NULL)
        state->told = outer;
}

static void pass(const struct tg_cryptolib *library, const SSL *connection, struct tg_event event)
{
    struct tg_connection_state *state = NULL;
    const struct tg_hooked *hooked = tg_hooked_of(library, connection, &state);
    SSL *ssl = (SSL *)connection;
    bool begins = event.where & SSL_CB_HANDSHAKE_START;
    int saved = errno;

    if (hooked == NULL)
        return;
    if (state == NULL && tg_given(hooked->libssl.SSL_get_SSL_CTX(ssl), &(const tg_policy *){NULL}))
        state = tg_connection_state_make(hooked, ssl);
    if (state != NULL && state->told.where == event.where && state->told.value == event.value)
        return;
    if (begins) { /* whom it is with, the application may still say now */
        tg_verifier_return(hooked, ssl);
        tg_queue_forget();
        tg_gate_raise(hooked, ssl);
        errno = saved;
        tell(hooked, ssl, state, event);
        saved = errno;
    }
    if (event.where & (SSL_CB_HANDSHAKE_START | SSL_CB_HANDSHAKE_DONE))
        watch(hooked, ssl, state, event.where);
    if (state != NULL && state->dropped && !state->judged && event.where == SSL_CB_WRITE_ALERT &&
        event.value == (SSL3_AL_FATAL << 8 | SSL_AD_INTERNAL_ERROR)) {
        state->dropped = false;
        refuse_early(hooked, ssl);
    }
    if (state != NULL && state->forced && event.where == SSL_CB_WRITE_ALERT)
        relent(hooked, ssl, state);
    errno = saved;
    if (!begins)
        tell(hooked, ssl, state, event);
}

#define GATE(number)                                                                               \
    static void gate_##number(const SSL *ssl, int where, int value)                                \
    {                                                                                              \
        pass(tg_cryptolib_number(number), ssl, (struct tg_event){where, value});                   \
    }
GATE(0)
GATE(1)
GATE(2)
GATE(3)

tg_info_callback *tg_gate_of(const struct tg_cryptolib *library)
{
    static tg_info_callback *const gates[TG_CRYPTOLIBS] = {gate_0, gate_1, gate_2, gate_3};

    return gates[library->number];
}

bool tg_gate_restore(const struct tg_hooked *hooked, SSL *ssl)
{
    struct tg_connection_state *state = tg_connection_state_of(hooked, ssl);
    tg_info_callback *theirs = hooked->libssl.SSL_get_info_callback(ssl);
    tg_info_callback *gate = tg_gate_of(hooked->library);

    if (theirs == gate || state == NULL)
        return false;
    state->info = theirs;
    hooked->libssl.SSL_set_info_callback(ssl, gate);
    return true;
}

/* A gate that nothing is kept of could be put away unseen, and so could the verdict. */
static int refuse_unkept(const struct tg_hooked *hooked)
{
    static const char problem[] =
        "a connection can't be put under a policy: there is no memory for it, or the program's "
        "library context (OSSL_LIB_CTX) keeps ex_data of its own in our place";

    tg_log_complain(TG_ORIGIN_ENVIRONMENT, "%s; it is refused", problem);
    (void)hooked->library->backend->raise_error(&hooked->library->crypto, problem);
    return -1;
}

/* What the gate does at the start of a handshake, where the gate wasn't there to see the start. */
static int start_late(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    struct tg_policies policies;
    struct tg_peer peer;
    int written = 0; /* 0: the extension isn't sent */
    bool demands;

    tg_policies_enter(hooked, ssl, &policies);
    tg_peer_of(hooked, ssl, &peer);
    demands = tg_prepare(hooked, ssl, state, &policies, &peer, tg_gate_staple);
    if (state != NULL)
        tg_offer_note(hooked, ssl, state);
    if (state == NULL && demands) {
        written = refuse_unkept(hooked);
    } else if (tg_session_is_unknown(hooked, ssl, &policies, &peer)) {
        written = tg_session_spoil(hooked, ssl, state, &policies.each[policies.count - 1], &peer);
        if (state != NULL)
            tg_offer_none(state);
    }
    tg_peer_keep_matches(state, &peer);
    tg_policies_leave(&policies);
    return written;
}

/* The server may ask for one more ClientHello, with the same random (RFC 8446 section 4.1.2). */
static bool is_new_hello(const struct tg_hooked *hooked, SSL *ssl,
                         struct tg_connection_state *state)
{
    uint8_t random[sizeof(state->random)] = {0};
    bool same;

    (void)hooked->libssl.SSL_get_client_random(ssl, random, sizeof(random));
    same = memcmp(state->random, random, sizeof(random)) == 0;
    memcpy(state->random, random, sizeof(random));
    return !same;
}

int tg_gate_hello(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                  size_t *length, X509 *certificate, size_t index, int *alert, void *arg)
{
    const struct tg_hooked *hooked = arg;
    struct tg_connection_state *state = NULL;
    int saved = errno, written = 0;

    (void)type, (void)context, (void)out, (void)length, (void)certificate, (void)index;
    if (hooked->libssl.SSL_is_server(ssl))
        return 0;
    tg_verifier_return(hooked, ssl);
    state = tg_connection_state_make(hooked, ssl); /* it may come from another library context */
    /* Whoever replaced the gate did so before the gate saw this handshake start. */
    if (tg_gate_restore(hooked, ssl))
        state->started = state->judged = state->refused = state->dropped = false;
    if (state != NULL && is_new_hello(hooked, ssl, state) && !state->started)
        forget_peer(hooked, ssl, state);
    if (state == NULL || !state->started)
        written = start_late(hooked, ssl, state);
    if (state != NULL && !tg_wire_await_end(hooked, ssl, state))
        written = -1;
    *alert = SSL_AD_HANDSHAKE_FAILURE;
    errno = saved;
    return written;
}

int tg_gate_refuse(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                   size_t *length, X509 *certificate, size_t index, int *alert, void *arg)
{
    const struct tg_hooked *hooked = arg;

    (void)type, (void)context, (void)out, (void)length, (void)certificate, (void)index;
    *alert = SSL_AD_HANDSHAKE_FAILURE;
    return hooked->libssl.SSL_is_server(ssl) ? 0 : refuse_unkept(hooked);
}

const struct tg_wire_watcher tg_gate_watcher = {
    .look = look, .restore = tg_gate_restore, .end = end};
