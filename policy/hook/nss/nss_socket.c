#include "nss_socket.h"
#include "reason.h"
#include "registry.h"
#include <stdlib.h>

static struct tg_registry sockets = {.size = sizeof(struct tg_nss_socket)};

struct tg_nss_socket *tg_nss_socket_at(PRFileDesc *fd)
{
    struct tg_nss_socket *state = fd != NULL ? tg_registry_find(&sockets, fd->secret) : NULL;

    /* Another layer's `secret` may be the address of a socket that was freed unseen. */
    if (state == NULL || state->identity != fd->identity)
        return NULL;
    atomic_store(&state->fd, fd);
    return state;
}

/* As PR_GetIdentitiesLayer searches. */
struct tg_nss_socket *tg_nss_socket_of(PRFileDesc *fd)
{
    struct tg_nss_socket *state = NULL;

    for (PRFileDesc *layer = fd; layer != NULL && state == NULL; layer = layer->lower)
        state = tg_nss_socket_at(layer);
    for (PRFileDesc *layer = fd; layer != NULL && state == NULL; layer = layer->higher)
        state = tg_nss_socket_at(layer);
    return state;
}

struct tg_nss_socket *tg_nss_socket_make(const struct tg_nss *library,
                                         const struct tg_nss_socket *model, PRFileDesc *fd)
{
    struct tg_nss_socket *state = NULL;

    tg_nss_socket_free(tg_nss_socket_take(fd->secret)); /* of another that was at its address */
    state = tg_registry_make(&sockets, fd->secret);
    if (state == NULL)
        return NULL;
    state->library = library;
    state->original = fd->methods;
    state->methods = *fd->methods;
    state->identity = fd->identity;
    atomic_store(&state->fd, fd);
    if (model != NULL) {
        state->set = model->set;
    } else {
        state->set.auth = library->SSL_AuthCertificate;
        state->set.auth_arg = library->CERT_GetDefaultCertDB();
    }
    return state;
}

struct tg_nss_socket *tg_nss_socket_take(const void *key)
{
    return tg_registry_take(&sockets, key);
}

void tg_nss_socket_free(struct tg_nss_socket *state)
{
    if (state != NULL)
        free(state->peer);
    tg_registry_free(state);
}

void tg_nss_socket_copy(struct tg_nss_socket *state, const struct tg_nss_socket *model)
{
    const struct tg_nss_set *from = &model->set;
    struct tg_nss_set *to = &state->set;

    to->auth = from->auth != NULL ? from->auth : to->auth;
    to->auth_arg = from->auth_arg != NULL ? from->auth_arg : to->auth_arg;
    to->bad = from->bad != NULL ? from->bad : to->bad;
    to->bad_arg = from->bad_arg != NULL ? from->bad_arg : to->bad_arg;
    to->done = from->done != NULL ? from->done : to->done;
    to->done_arg = from->done_arg != NULL ? from->done_arg : to->done_arg;
}

void tg_nss_socket_point(const struct tg_nss_socket *state)
{
    tg_reason_point(TG_REASON_NSPR, state->reason, TG_SEC_ERROR_UNTRUSTED_CERT, true);
}

void tg_nss_socket_set_error(const struct tg_nss_socket *state)
{
    state->library->PR_SetError(TG_SEC_ERROR_UNTRUSTED_CERT, 0);
    tg_nss_socket_point(state);
}
