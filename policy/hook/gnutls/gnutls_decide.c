#include "gnutls_decide.h"
#include "gnutls_judge.h"
#include "reason.h"
#include <errno.h>
#include <sys/socket.h>

/* ---- the program's own verification ---- */

/* As the function that gnutls_session_set_verify_cert(3) sets does it (auto_verify_cb in GnuTLS's
 * cert-session.c). */
static int verify_names(struct tg_gnutls_session *state)
{
    const struct tg_gnutls *library = state->library;
    int result =
        state->data_count == 0
            ? library->gnutls_certificate_verify_peers3(state->session, state->host, &state->status)
            : library->gnutls_certificate_verify_peers(state->session, state->data,
                                                       state->data_count, &state->status);

    if (result < 0)
        return TG_GNUTLS_E_CERTIFICATE_ERROR;
    state->checked = true;
    return state->status != 0 ? TG_GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR : 0;
}

/* What the library would have asked in our place. */
static int ask_program(struct tg_gnutls_session *state)
{
    gnutls_certificate_verify_function *function = NULL;
    void *credentials = NULL;

    if (state->check == TG_GNUTLS_NAMES)
        return state->outcome == TG_GNUTLS_ACCEPTED ? 0 : verify_names(state);
    if (state->check == TG_GNUTLS_FUNCTION && state->function != NULL)
        return state->function(state->session);
    if (state->library->gnutls_credentials_get(state->session, TG_GNUTLS_CRD_CERTIFICATE,
                                               &credentials) != 0)
        return 0;
    if (!tg_gnutls_credentials_function(credentials, &function))
        return TG_GNUTLS_E_MEMORY_ERROR;
    return function != NULL ? function(state->session) : 0;
}

static bool goes_on_later(const struct tg_gnutls_session *state, int result)
{
    return result < 0 && state->library->gnutls_error_is_fatal(result) == 0;
}

/* Our verify function. The program's may learn a name that it verifies only now, and more is
 * demanded then. */
static int verify(gnutls_session_t session)
{
    struct tg_gnutls_session *state = tg_gnutls_session_of(session);
    int result = TG_GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;

    if (state == NULL)
        return result;
    if (!state->judged)
        tg_gnutls_judge(state);
    if (state->outcome == TG_GNUTLS_REFUSED)
        return result;
    result = ask_program(state);
    if (state->outcome == TG_GNUTLS_REFUSED)
        return TG_GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
    return state->outcome == TG_GNUTLS_ACCEPTED && !goes_on_later(state, result) ? 0 : result;
}

void tg_gnutls_decide_reinstall(struct tg_gnutls_session *state)
{
    if (state->installed)
        state->library->gnutls_session_set_verify_function(state->session, verify);
}

/* ---- the handshake ---- */

static void start(struct tg_gnutls_session *state)
{
    enum tg_gnutls_demand demand = tg_gnutls_demand(state);

    tg_reason_forget();
    state->running = true;
    state->judged = state->checked = false;
    /* A verdict on an earlier handshake says nothing of this one. */
    state->outcome = TG_GNUTLS_LEFT;
    if (state->shown_count > 0)
        tg_gnutls_session_hide(state);
    if (demand == TG_GNUTLS_A_STAPLE)
        (void)state->library->gnutls_ocsp_status_request_enable_client(state->session, NULL, 0,
                                                                       NULL);
    if (demand != TG_GNUTLS_NOTHING)
        state->installed = true;
    tg_gnutls_decide_reinstall(state);
}

static ssize_t push_nothing(void *transport, const void *data, size_t size)
{
    (void)transport, (void)data, (void)size;
    errno = EPIPE;
    return -1;
}

static ssize_t pull_nothing(void *transport, void *data, size_t size)
{
    (void)transport, (void)data, (void)size;
    errno = EPIPE;
    return -1;
}

/* Where the kernel encrypts, data goes past the library's functions. Once reading has failed, the
 * library takes the session for broken, and has no more of it whatever functions it is given. */
void tg_gnutls_stop(struct tg_gnutls_session *state)
{
    const struct tg_gnutls *library = state->library;
    void *in = NULL, *out = NULL;
    char data[256];
    int saved = errno;

    (void)library->gnutls_alert_send(state->session, TG_GNUTLS_AL_FATAL,
                                     TG_GNUTLS_A_BAD_CERTIFICATE);
    if (library->gnutls_transport_is_ktls_enabled != NULL &&
        library->gnutls_transport_is_ktls_enabled(state->session) != 0) {
        library->gnutls_transport_get_ptr2(state->session, &in, &out);
        (void)shutdown((int)(uintptr_t)out, SHUT_RDWR);
    }
    library->gnutls_transport_set_push_function(state->session, push_nothing);
    library->gnutls_transport_set_pull_function(state->session, pull_nothing);
    while (library->gnutls_record_recv(state->session, data, sizeof(data)) > 0)
        continue; /* what had come by then */
    errno = saved;
}

static int finish(struct tg_gnutls_session *state, int result)
{
    if (result < 0 && state->library->gnutls_error_is_fatal(result) == 0)
        return result;
    state->running = false;
    if (result == 0 && !state->judged && tg_gnutls_demand(state) != TG_GNUTLS_NOTHING)
        tg_gnutls_judge(state);
    if (state->outcome == TG_GNUTLS_REFUSED && (result == 0 || state->complete)) {
        tg_gnutls_stop(state);
        result = TG_GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
    }
    state->complete = state->complete || result == 0;
    return result;
}

bool tg_gnutls_decide(gnutls_session_t session, int *result)
{
    struct tg_gnutls_session *state = tg_gnutls_session_of(session);

    if (state == NULL)
        return false;
    *result = TG_GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
    if (state->outcome == TG_GNUTLS_REFUSED)
        return true;
    if (!state->running)
        start(state);
    *result = finish(state, state->library->gnutls_handshake(session));
    return true;
}
