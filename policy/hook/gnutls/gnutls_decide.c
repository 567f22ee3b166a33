#include "gnutls_decide.h"
#include "gnutls_judge.h"
#include "reason.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
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
        return state->outcome == TG_FOREIGN_ACCEPTED ? 0 : verify_names(state);
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
    if (state->outcome == TG_FOREIGN_REFUSED)
        return result;
    result = ask_program(state);
    if (state->outcome == TG_FOREIGN_REFUSED)
        return TG_GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
    return state->outcome == TG_FOREIGN_ACCEPTED && !goes_on_later(state, result) ? 0 : result;
}

void tg_gnutls_decide_reinstall(struct tg_gnutls_session *state)
{
    if (state->installed)
        state->library->gnutls_session_set_verify_function(state->session, verify);
}

/* ---- the handshake ---- */

/* More records than a socket's buffer holds. */
enum { MOST_RECORDS = 1 << 20 };

/* False: data would go out with the ClientHello to a host that had no name yet when the program
 * handed it over, or no rule. */
static bool start(struct tg_gnutls_session *state)
{
    enum tg_foreign_demand demand = tg_gnutls_demand(state);

    tg_reason_forget();
    if (state->early && tg_gnutls_demands(state)) {
        tg_gnutls_refuse(state, TG_HOST_UNKNOWN,
                         "it became known after data had been given that goes out early");
        return false;
    }
    state->early = false;
    state->running = true;
    state->judged = state->checked = false;
    /* A verdict on an earlier handshake says nothing of this one. */
    state->outcome = TG_FOREIGN_LEFT;
    if (state->shown_count > 0)
        tg_gnutls_session_hide(state);
    if (demand == TG_FOREIGN_A_STAPLE)
        (void)state->library->gnutls_ocsp_status_request_enable_client(state->session, NULL, 0,
                                                                       NULL);
    if (demand != TG_FOREIGN_NOTHING)
        state->installed = true;
    tg_gnutls_decide_reinstall(state);
    return true;
}

/* ---- the keys of a program that encrypts by itself ---- */

static int hold(struct tg_gnutls_secrets *secrets, const void *read, const void *write, size_t size)
{
    if (size == 0 || size > sizeof(secrets->read))
        return TG_GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
    secrets->size = size;
    if (read != NULL)
        memcpy(secrets->read, read, size);
    if (write != NULL)
        memcpy(secrets->write, write, size);
    secrets->has_read = secrets->has_read || read != NULL;
    secrets->has_write = secrets->has_write || write != NULL;
    return 0;
}

/* They go to the program if RESULT, of the handshake, is 0. */
static int release(struct tg_gnutls_session *state, int result)
{
    struct tg_gnutls_secrets *secrets = &state->secrets;
    int taken = 0;

    if (result == 0 && secrets->size > 0)
        taken = secrets->function(state->session, TG_GNUTLS_ENCRYPTION_LEVEL_APPLICATION,
                                  secrets->has_read ? secrets->read : NULL,
                                  secrets->has_write ? secrets->write : NULL, secrets->size);
    OPENSSL_cleanse(secrets->read, sizeof(secrets->read) + sizeof(secrets->write));
    secrets->has_read = secrets->has_write = false;
    secrets->size = 0;
    return taken < 0 ? taken : result;
}

/* Those for data are the last that a handshake makes. Of a session that is resumed there is no
 * verdict by then. */
int tg_gnutls_decide_secret(gnutls_session_t session, unsigned level, const void *read,
                            const void *write, size_t size)
{
    struct tg_gnutls_session *state = tg_gnutls_session_of(session);

    if (state == NULL || state->outcome == TG_FOREIGN_REFUSED)
        return TG_GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
    if (level == TG_GNUTLS_ENCRYPTION_LEVEL_EARLY && tg_gnutls_demands(state))
        return 0;
    if (level == TG_GNUTLS_ENCRYPTION_LEVEL_APPLICATION && state->running && !state->judged &&
        tg_gnutls_demand(state) != TG_FOREIGN_NOTHING)
        return hold(&state->secrets, read, write, size);
    return state->secrets.function(session, level, read, write, size);
}

/* ---- the end of a session that is refused late ---- */

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

static int wait_for_nothing(void *transport, unsigned wait)
{
    (void)transport, (void)wait;
    return 1;
}

static int tell_broken(void *transport)
{
    (void)transport;
    return EPIPE;
}

static void alert(const struct tg_gnutls_session *state)
{
    (void)state->library->gnutls_alert_send(state->session, TG_GNUTLS_AL_FATAL,
                                            TG_GNUTLS_A_BAD_CERTIFICATE);
}

/* Data goes past the library's functions where the kernel encrypts. */
static bool shut(const struct tg_gnutls_session *state)
{
    const struct tg_gnutls *library = state->library;
    void *in = NULL, *out = NULL;

    if (library->gnutls_transport_is_ktls_enabled == NULL ||
        library->gnutls_transport_is_ktls_enabled(state->session) == 0)
        return false;
    library->gnutls_transport_get_ptr2(state->session, &in, &out);
    (void)shutdown((int)(uintptr_t)out, SHUT_RDWR);
    (void)shutdown((int)(uintptr_t)in, SHUT_RDWR);
    return true;
}

/* Once writing has failed, and reading, the library takes the session for broken, and has no more
 * of it whatever functions it is given. */
void tg_gnutls_stop(struct tg_gnutls_session *state)
{
    const struct tg_gnutls *library = state->library;
    char data[256];
    ssize_t got;
    int saved = errno;

    alert(state);
    if (!shut(state)) {
        library->gnutls_transport_set_push_function(state->session, push_nothing);
        library->gnutls_transport_set_pull_function(state->session, pull_nothing);
        library->gnutls_transport_set_pull_timeout_function(state->session, wait_for_nothing);
        library->gnutls_transport_set_errno_function(state->session, tell_broken);
        alert(state);
    }
    for (unsigned i = 0; i < MOST_RECORDS; i++) { /* of what had come by then */
        got = library->gnutls_record_recv(state->session, data, sizeof(data));
        if (got == 0 || (got < 0 && library->gnutls_error_is_fatal((int)got) != 0))
            break;
    }
    errno = saved;
}

static int finish(struct tg_gnutls_session *state, int result)
{
    if (result < 0 && state->library->gnutls_error_is_fatal(result) == 0)
        return result;
    state->running = false;
    if (result == 0 && !state->judged && tg_gnutls_demand(state) != TG_FOREIGN_NOTHING)
        tg_gnutls_judge(state);
    if (state->outcome == TG_FOREIGN_REFUSED && (result == 0 || state->complete)) {
        tg_gnutls_stop(state);
        result = TG_GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
    }
    result = release(state, result);
    state->complete = state->complete || result == 0;
    return result;
}

bool tg_gnutls_decide(gnutls_session_t session, int *result)
{
    struct tg_gnutls_session *state = tg_gnutls_session_of(session);

    if (state == NULL)
        return false;
    *result = TG_GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
    if (state->outcome == TG_FOREIGN_REFUSED)
        return true;
    if (!state->running && !start(state))
        return true;
    *result = finish(state, state->library->gnutls_handshake(session));
    return true;
}
