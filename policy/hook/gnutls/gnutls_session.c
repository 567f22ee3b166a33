#include "gnutls_session.h"
#include "gnutls_name.h"
#include "registry.h"
#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static struct tg_registry sessions = {.size = sizeof(struct tg_gnutls_session)};
static struct tg_registry credentials_set = {.size = sizeof(gnutls_certificate_verify_function *)};
static atomic_bool lost; /* a function of some credentials could not be kept */

struct tg_gnutls_session *tg_gnutls_session_of(gnutls_session_t session)
{
    return tg_registry_find(&sessions, session);
}

struct tg_gnutls_session *tg_gnutls_session_make(const struct tg_gnutls *library,
                                                 gnutls_session_t session, unsigned flags)
{
    struct tg_gnutls_session *state = NULL;

    tg_gnutls_session_forget(session); /* of another that was at its address */
    state = tg_registry_make(&sessions, session);
    if (state == NULL)
        return NULL;
    state->library = library;
    state->session = session;
    state->datagrams = (flags & TG_GNUTLS_DATAGRAM) != 0;
    return state;
}

void tg_gnutls_session_forget(gnutls_session_t session)
{
    struct tg_gnutls_session *state = tg_registry_take(&sessions, session);

    if (state == NULL)
        return;
    for (unsigned i = 0; i < 2; i++)
        tg_gnutls_session_hide(state);
    for (unsigned i = 0; i < state->given_count; i++)
        free(state->given[i]);
    OPENSSL_cleanse(&state->secrets, sizeof(state->secrets));
    free(state->sent);
    free(state->peer);
    tg_registry_free(state);
}

/* A name without memory for it is one of those that aren't known. */
void tg_gnutls_session_send(struct tg_gnutls_session *state, const char *name, size_t size)
{
    free(state->sent);
    state->sent = size > 0 ? tg_gnutls_name(state->library, name, size) : NULL;
    if (size > 0 && state->sent == NULL)
        state->given_more = true;
}

bool tg_gnutls_session_give(struct tg_gnutls_session *state, const char *name)
{
    char *given;

    if (name == NULL || name[0] == '\0')
        return false;
    given = tg_gnutls_name(state->library, name, strlen(name));
    for (unsigned i = 0; given != NULL && i < state->given_count; i++)
        if (strcasecmp(state->given[i], given) == 0) {
            free(given);
            return false;
        }
    if (given != NULL && state->given_count < TG_GNUTLS_GIVEN) {
        state->given[state->given_count++] = given;
        return true;
    }
    free(given);
    state->given_more = true;
    return true;
}

const char *tg_gnutls_typed_name(const gnutls_typed_vdata_st *one, char room[TG_HOST_SIZE])
{
    if (one->type == TG_GNUTLS_DT_IP_ADDRESS && (one->size == 4 || one->size == 16))
        return inet_ntop(one->size == 4 ? AF_INET : AF_INET6, one->data, room, TG_HOST_SIZE);
    if (one->type != TG_GNUTLS_DT_DNS_HOSTNAME || one->size >= TG_HOST_SIZE)
        return NULL;
    if (one->size == 0) /* it ends with a NUL (gnutls_certificate_verify_peers(3)) */
        return (const char *)one->data;
    memcpy(room, one->data, one->size);
    room[one->size] = '\0';
    return room;
}

bool tg_gnutls_session_give_all(struct tg_gnutls_session *state, const char *host,
                                const gnutls_typed_vdata_st *data, unsigned count)
{
    bool new = tg_gnutls_session_give(state, host);
    char room[TG_HOST_SIZE];

    for (unsigned i = 0; data != NULL && i < count; i++) {
        const char *name = tg_gnutls_typed_name(&data[i], room);

        state->given_more |= name == NULL && data[i].type == TG_GNUTLS_DT_DNS_HOSTNAME;
        new = tg_gnutls_session_give(state, name) || new;
    }
    return new;
}

void tg_gnutls_session_hide(struct tg_gnutls_session *state)
{
    OPENSSL_free(state->old_alias);
    free(state->old_shown);
    state->old_alias = state->alias;
    state->old_shown = state->shown;
    state->alias = NULL;
    state->shown = NULL;
    state->shown_count = 0;
}

void tg_gnutls_credentials_set(gnutls_certificate_credentials_t credentials,
                               gnutls_certificate_verify_function *function)
{
    gnutls_certificate_verify_function **kept = tg_registry_make(&credentials_set, credentials);

    if (kept != NULL)
        *kept = function;
    else
        atomic_store(&lost, true);
}

void tg_gnutls_credentials_forget(gnutls_certificate_credentials_t credentials)
{
    tg_registry_free(tg_registry_take(&credentials_set, credentials));
}

bool tg_gnutls_credentials_function(gnutls_certificate_credentials_t credentials,
                                    gnutls_certificate_verify_function **function)
{
    gnutls_certificate_verify_function **kept = tg_registry_find(&credentials_set, credentials);

    *function = kept != NULL ? *kept : NULL;
    return kept != NULL || !atomic_load(&lost);
}
