/* nss_hook.c - an NSS comes under the policy, and what the preload calls of it from then on. */
#include "host.h"
#include "leaves.h"
#include "nss_decide.h"
#include "nss_methods.h"
#include "process.h"
#include "reason.h"
#include <errno.h>
#include <string.h>

/* A layer that can't be kept is taken off again; what the library has for it stays behind. */
static bool begin(const struct tg_nss *library, PRFileDesc *model, PRFileDesc *fd, bool datagrams)
{
    struct tg_nss_socket *state = NULL;

    if (tg_process_inert())
        return true;
    state = tg_nss_socket_make(library, tg_nss_socket_of(model), fd);
    if (state != NULL && !tg_nss_decide_install(state)) {
        tg_nss_socket_free(tg_nss_socket_take(fd->secret));
        state = NULL;
    }
    if (state == NULL) {
        (void)library->PR_PopIOLayer(fd, fd->identity);
        library->PR_SetError(TG_PR_OUT_OF_MEMORY_ERROR, 0);
        return false;
    }
    state->datagrams = datagrams;
    tg_nss_methods_install(state);
    return true;
}

static void reconfigured(PRFileDesc *model, PRFileDesc *fd)
{
    const struct tg_nss_socket *from = tg_nss_socket_of(model);
    struct tg_nss_socket *state = tg_nss_socket_of(fd);

    if (state == NULL)
        return;
    if (from != NULL)
        tg_nss_socket_copy(state, from);
    if (!tg_nss_decide_install(state))
        state->outcome = TG_FOREIGN_REFUSED;
    state->started = false;
}

static bool set_auth(PRFileDesc *fd, SSLAuthCertificate function, void *arg, SECStatus *result)
{
    struct tg_nss_socket *state = tg_nss_socket_of(fd);

    if (state == NULL)
        return false;
    state->set.auth = function;
    state->set.auth_arg = arg;
    *result = SECSuccess;
    return true;
}

static bool set_bad(PRFileDesc *fd, SSLBadCertHandler function, void *arg, SECStatus *result)
{
    struct tg_nss_socket *state = tg_nss_socket_of(fd);

    if (state == NULL)
        return false;
    state->set.bad = function;
    state->set.bad_arg = arg;
    *result = state->library->SSL_BadCertHook(fd, tg_nss_decide_bad(state), NULL);
    return true;
}

static bool set_done(PRFileDesc *fd, SSLHandshakeCallback function, void *arg, SECStatus *result)
{
    struct tg_nss_socket *state = tg_nss_socket_of(fd);

    if (state == NULL)
        return false;
    state->set.done = function;
    state->set.done_arg = arg;
    *result = SECSuccess;
    return true;
}

static void named(PRFileDesc *fd, const char *url)
{
    struct tg_nss_socket *state = tg_nss_socket_of(fd);

    if (state == NULL)
        return;
    state->set.named = url != NULL && url[0] != '\0';
    state->started = false;
    tg_nss_decide_again(state);
}

static bool authenticate(PRFileDesc *fd, PRBool is_server, SECStatus *result)
{
    const struct tg_nss_socket *state = tg_nss_socket_of(fd);

    if (state == NULL || is_server || state->outcome == TG_FOREIGN_LEFT)
        return false;
    *result = state->outcome == TG_FOREIGN_ACCEPTED ? SECSuccess : SECFailure;
    if (*result != SECSuccess)
        tg_nss_socket_set_error(state);
    return true;
}

static void complete(PRFileDesc *fd, PRErrorCode *error)
{
    const struct tg_nss_socket *state = tg_nss_socket_of(fd);

    if (state == NULL)
        return;
    if (state->outcome == TG_FOREIGN_ACCEPTED)
        *error = 0;
    else if (state->outcome == TG_FOREIGN_REFUSED) {
        *error = TG_SEC_ERROR_UNTRUSTED_CERT;
        tg_nss_socket_point(state);
    }
}

static bool force(PRFileDesc *fd, const PRIntervalTime *timeout, SECStatus *result)
{
    struct tg_nss_socket *state = tg_nss_socket_of(fd);

    if (state == NULL)
        return false;
    *result = tg_nss_decide_force(state, timeout);
    return true;
}

/* A refused server stays so. */
static void reset(PRFileDesc *fd, PRBool as_server)
{
    struct tg_nss_socket *state = tg_nss_socket_of(fd);

    if (state == NULL)
        return;
    state->role = as_server ? TG_NSS_SERVER : TG_NSS_CLIENT;
    state->started = state->judged = state->passed = false;
    if (state->outcome != TG_FOREIGN_REFUSED)
        state->outcome = TG_FOREIGN_LEFT;
}

static bool knows(const CERTCertificate *certificate, const char *host)
{
    uint8_t digest[TG_SHA256_SIZE];
    char name[TG_HOST_SIZE];
    int saved = errno;
    bool known = tg_leaves_any() && certificate != NULL;

    tg_reason_unpoint(); /* the program has another error by now */
    if (known && host != NULL)
        tg_peer_spell(host, name);
    known = known &&
            tg_leaves_digest(certificate->derCert.data, certificate->derCert.len, digest) &&
            tg_leaves_know(digest, host != NULL ? name : NULL);
    errno = saved;
    return known;
}

static const struct tg_nss_hook hooked = {
    .begin = begin,
    .reconfigured = reconfigured,
    .set_auth = set_auth,
    .set_bad = set_bad,
    .set_done = set_done,
    .named = named,
    .authenticate = authenticate,
    .complete = complete,
    .force = force,
    .reset = reset,
    .knows = knows,
};

enum tg_injected tg_inject_nss(const void *address, const struct tg_nss **library,
                               const struct tg_nss_hook **hook)
{
    int saved = errno;
    const char *missing = NULL;
    enum tg_injected injected = TG_INJECT_INERT;

    *library = NULL;
    *hook = &hooked;
    if (tg_process_has_origin()) {
        *library = address != NULL ? tg_nss_at(address, &missing) : NULL;
        injected = *library != NULL || address == NULL ? TG_INJECT_HOOKED : TG_INJECT_FAILED;
    }
    if (injected == TG_INJECT_FAILED)
        tg_log_complain(TG_ORIGIN_ENVIRONMENT,
                        "this program's NSS has no %s: it can't be put under a policy, and is not "
                        "used",
                        missing != NULL ? missing : "place left");
    errno = saved;
    return injected;
}
