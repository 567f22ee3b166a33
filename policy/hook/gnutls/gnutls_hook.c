/* gnutls_hook.c - a libgnutls comes under the policy, and what the preload calls of it from then
 * on. */
#include "gnutls_answer.h"
#include "gnutls_decide.h"
#include "gnutls_judge.h"
#include "process.h"
#include <errno.h>

static bool begin(const struct tg_gnutls *library, gnutls_session_t session, unsigned flags)
{
    return tg_process_inert() || tg_gnutls_session_make(library, session, flags) != NULL;
}

static void named(gnutls_session_t session, const void *name, size_t size)
{
    struct tg_gnutls_session *state = tg_gnutls_session_of(session);

    if (state != NULL)
        tg_gnutls_session_send(state, name, size);
}

static void pushed(gnutls_session_t session, bool datagrams)
{
    struct tg_gnutls_session *state = tg_gnutls_session_of(session);

    if (state == NULL)
        return;
    state->pushed = true;
    state->datagrams = state->datagrams || datagrams;
}

static bool set_function(gnutls_session_t session, gnutls_certificate_verify_function *function)
{
    struct tg_gnutls_session *state = tg_gnutls_session_of(session);

    if (state == NULL)
        return false;
    state->check = TG_GNUTLS_FUNCTION;
    state->function = function;
    return state->installed;
}

static void set_names(gnutls_session_t session, const char *host, gnutls_typed_vdata_st *data,
                      unsigned count)
{
    struct tg_gnutls_session *state = tg_gnutls_session_of(session);

    if (state == NULL)
        return;
    state->check = TG_GNUTLS_NAMES;
    state->host = host;
    state->data = data;
    state->data_count = data != NULL ? count : 0;
    (void)tg_gnutls_session_give_all(state, host, data, count);
    tg_gnutls_decide_reinstall(state);
}

static bool allows_early(gnutls_session_t session)
{
    struct tg_gnutls_session *state = tg_gnutls_session_of(session);
    bool allowed = state == NULL || tg_process_inert() || !tg_gnutls_demands(state);

    if (state != NULL)
        state->early = state->early || allowed;
    return allowed;
}

static bool allows_data(gnutls_session_t session)
{
    struct tg_gnutls_session *state = tg_gnutls_session_of(session);

    if (state == NULL || tg_process_inert())
        return true;
    return state->outcome != TG_FOREIGN_REFUSED && (state->complete || !tg_gnutls_demands(state));
}

static gnutls_handshake_secret_func secrets(gnutls_session_t session,
                                            gnutls_handshake_secret_func function)
{
    struct tg_gnutls_session *state = tg_gnutls_session_of(session);

    if (state == NULL || function == NULL)
        return function;
    state->secrets.function = function;
    return tg_gnutls_decide_secret;
}

static const struct tg_gnutls_hook hooked = {
    .begin = begin,
    .end = tg_gnutls_session_forget,
    .end_credentials = tg_gnutls_credentials_forget,
    .named = named,
    .pushed = pushed,
    .set_credentials_function = tg_gnutls_credentials_set,
    .set_function = set_function,
    .set_names = set_names,
    .handshake = tg_gnutls_decide,
    .allows_early = allows_early,
    .allows_data = allows_data,
    .secrets = secrets,
    .verified = tg_gnutls_answer,
    .status = tg_gnutls_answer_status,
    .peers = tg_gnutls_answer_peers,
    .session_time = tg_gnutls_answer_time,
    .knows = tg_gnutls_answer_knows,
};

enum tg_injected tg_inject_gnutls(const void *address, const struct tg_gnutls **library,
                                  const struct tg_gnutls_hook **hook)
{
    int saved = errno;
    const char *missing = NULL;
    enum tg_injected injected = TG_INJECT_INERT;

    if (tg_process_has_origin()) {
        *library = tg_gnutls_at(address, &missing);
        *hook = &hooked;
        injected = *library != NULL ? TG_INJECT_HOOKED : TG_INJECT_FAILED;
    }
    if (injected == TG_INJECT_FAILED)
        tg_log_complain(TG_ORIGIN_ENVIRONMENT,
                        "this program's GnuTLS has no %s: it can't be put under a policy, and is "
                        "not used",
                        missing != NULL ? missing : "place left");
    errno = saved;
    return injected;
}
