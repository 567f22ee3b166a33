#include "nss_decide.h"
#include "chains.h"
#include "nss_judge.h"

static bool is_server(struct tg_nss_socket *state)
{
    PRBool on = 0;

    if (state->role == TG_NSS_UNTOLD &&
        state->library->SSL_OptionGet(state->fd, TG_SSL_HANDSHAKE_AS_SERVER, &on) == SECSuccess &&
        on)
        return true;
    return state->role == TG_NSS_SERVER;
}

/* ---- the library asks for a verdict ---- */

/* As the library would have asked. */
static SECStatus ask_program(struct tg_nss_socket *state, PRFileDesc *fd, PRBool check_signature,
                             PRBool as_server)
{
    if (state->set.auth == state->library->SSL_AuthCertificate &&
        state->outcome == TG_FOREIGN_ACCEPTED)
        return SECSuccess;
    return state->set.auth(state->set.auth_arg, fd, check_signature, as_server);
}

/* An SSLAuthCertificate. The program's may give a name only now, and more is demanded then; it may
 * also answer later, by SSL_AuthCertificateComplete. */
static SECStatus authenticate(void *arg, PRFileDesc *fd, PRBool check_signature, PRBool as_server)
{
    struct tg_nss_socket *state = tg_nss_socket_at(fd);
    SECStatus result = SECFailure;

    (void)arg;
    if (state == NULL || state->set.auth == NULL)
        return SECFailure;
    if (as_server) {
        state->role = TG_NSS_SERVER;
        return ask_program(state, fd, check_signature, as_server);
    }
    state->role = TG_NSS_CLIENT;
    tg_nss_judge(state, true);
    if (state->outcome != TG_FOREIGN_REFUSED)
        result = ask_program(state, fd, check_signature, as_server);
    if (state->outcome == TG_FOREIGN_REFUSED) {
        tg_nss_socket_set_error(state);
        return SECFailure;
    }
    if (state->outcome == TG_FOREIGN_ACCEPTED && result != SECWouldBlock)
        return SECSuccess;
    return result;
}

/* An SSLBadCertHandler, for a program that has one. */
static SECStatus forgive(void *arg, PRFileDesc *fd)
{
    struct tg_nss_socket *state = tg_nss_socket_at(fd);
    SECStatus result = SECFailure;

    (void)arg;
    if (state == NULL || state->set.bad == NULL)
        return SECFailure;
    result = state->set.bad(state->set.bad_arg, fd);
    if (state->outcome != TG_FOREIGN_REFUSED)
        return result;
    tg_nss_socket_set_error(state);
    return SECFailure;
}

SSLBadCertHandler tg_nss_decide_bad(const struct tg_nss_socket *state)
{
    return state->set.bad != NULL ? forgive : NULL;
}

/* ---- it is done ---- */

/* Its session is no more to be resumed, and no byte passes by any way. */
static void stop(struct tg_nss_socket *state)
{
    PRFileDesc *lower = ((PRFileDesc *)state->fd)->lower;

    (void)state->library->SSL_InvalidateSession(state->fd);
    if (lower != NULL)
        (void)lower->methods->shutdown(lower, TG_PR_SHUTDOWN_BOTH);
}

static void finish(struct tg_nss_socket *state)
{
    if (is_server(state)) {
        state->passed = true;
        return;
    }
    if (!state->judged)
        tg_nss_judge(state, false);
    state->judged = false; /* another handshake may follow */
    state->passed = state->outcome != TG_FOREIGN_REFUSED;
    if (state->outcome == TG_FOREIGN_REFUSED)
        stop(state);
}

/* An SSLHandshakeCallback: the library is about to let data pass. */
static void done(PRFileDesc *fd, void *arg)
{
    struct tg_nss_socket *state = tg_nss_socket_at(fd);

    (void)arg;
    if (state == NULL)
        return;
    finish(state);
    if (state->outcome != TG_FOREIGN_REFUSED && state->set.done != NULL)
        state->set.done(fd, state->set.done_arg);
}

static bool is_secure(struct tg_nss_socket *state)
{
    PRBool on = 1;

    return state->library->SSL_OptionGet(state->fd, TG_SSL_SECURITY, &on) != SECSuccess || on;
}

/* The library takes the last one for a socket alone on which TLS is switched on. */
bool tg_nss_decide_install(struct tg_nss_socket *state)
{
    const struct tg_nss *library = state->library;
    bool secure = is_secure(state), installed;

    if (!secure && library->SSL_OptionSet(state->fd, TG_SSL_SECURITY, 1) != SECSuccess)
        return false;
    installed = library->SSL_AuthCertificateHook(state->fd, authenticate, NULL) == SECSuccess &&
                library->SSL_BadCertHook(state->fd, tg_nss_decide_bad(state), NULL) == SECSuccess &&
                library->SSL_HandshakeCallback(state->fd, done, NULL) == SECSuccess;
    if (!secure && library->SSL_OptionSet(state->fd, TG_SSL_SECURITY, 0) != SECSuccess)
        return false;
    return installed;
}

void tg_nss_decide_again(struct tg_nss_socket *state)
{
    bool judged = state->judged;

    if ((!state->passed && !judged) || is_server(state))
        return;
    if (state->outcome == TG_FOREIGN_LEFT && tg_nss_demand(state) == TG_FOREIGN_NOTHING)
        return;
    tg_nss_judge(state, false);
    state->judged = judged;
    if (state->passed && state->outcome == TG_FOREIGN_REFUSED)
        stop(state);
}

/* ---- it begins ---- */

static void start(struct tg_nss_socket *state)
{
    const struct tg_nss *library = state->library;
    enum tg_foreign_demand demand = TG_FOREIGN_NOTHING;
    PRErrorCode error = library->PR_GetError();
    int os_error = library->PR_GetOSError();

    if (atomic_load(&state->started))
        return;
    demand = tg_nss_demand(state);
    if (demand == TG_FOREIGN_A_STAPLE)
        (void)library->SSL_OptionSet(state->fd, TG_SSL_ENABLE_OCSP_STAPLING, 1);
    if (demand != TG_FOREIGN_NOTHING && tg_chains_lost())
        (void)library->SSL_OptionSet(state->fd, TG_SSL_NO_CACHE, 1);
    state->demanded = demand != TG_FOREIGN_NOTHING;
    state->started = true;
    library->PR_SetError(error, os_error);
}

static SECStatus force(struct tg_nss_socket *state, const PRIntervalTime *timeout)
{
    const struct tg_nss *library = state->library;

    if (!state->passed && state->demanded) /* data that goes out before the server is known */
        (void)library->SSL_OptionSet(state->fd, TG_SSL_ENABLE_0RTT_DATA, 0);
    return timeout != NULL ? library->SSL_ForceHandshakeWithTimeout(state->fd, *timeout)
                           : library->SSL_ForceHandshake(state->fd);
}

SECStatus tg_nss_decide_force(struct tg_nss_socket *state, const PRIntervalTime *timeout)
{
    SECStatus result = SECFailure;
    bool taken;

    if (is_server(state))
        return force(state, timeout);
    taken = tg_turn_take(&state->shaking);
    start(state);
    if (state->outcome != TG_FOREIGN_REFUSED)
        result = force(state, timeout);
    if (result == SECSuccess && !state->passed && !state->judged && is_secure(state))
        finish(state);
    if (state->outcome == TG_FOREIGN_REFUSED) {
        tg_nss_socket_set_error(state);
        result = SECFailure;
    }
    tg_turn_give(&state->shaking, taken);
    return result;
}

/* Another policy may be in force by the end of the handshake, so it is waited for in any case; but
 * not where data is to go out before, and no rule forbids it. */
static bool sends_early(struct tg_nss_socket *state)
{
    PRBool on = 0;

    return state->library->SSL_OptionGet(state->fd, TG_SSL_ENABLE_0RTT_DATA, &on) == SECSuccess &&
           on;
}

static bool is_open(struct tg_nss_socket *state)
{
    return state->passed || state->judged || is_server(state) || !is_secure(state);
}

/* A thread that comes while another shakes hands waits: the library would have it read what comes
 * after the handshake, before it may write. */
static bool open_it(struct tg_nss_socket *state, const PRIntervalTime *timeout)
{
    bool taken = tg_turn_take(&state->shaking), opened = true;

    if (!is_open(state)) {
        start(state);
        opened = (!state->demanded && sends_early(state)) ||
                 tg_nss_decide_force(state, timeout) == SECSuccess;
    }
    tg_turn_give(&state->shaking, taken);
    return opened;
}

bool tg_nss_decide_pass(struct tg_nss_socket *state, const PRIntervalTime *timeout)
{
    if (state->outcome != TG_FOREIGN_REFUSED && !is_open(state) && !open_it(state, timeout))
        return false;
    if (state->outcome != TG_FOREIGN_REFUSED)
        return true;
    tg_nss_socket_set_error(state);
    return false;
}
