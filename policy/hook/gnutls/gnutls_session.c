#include "gnutls_session.h"
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
    tg_gnutls_session_hide(state);
    for (unsigned i = 0; i < state->given_count; i++)
        free(state->given[i]);
    free(state->sent);
    free(state->peer);
    tg_registry_free(state);
}

/* A name without memory for it is one of those that aren't known. */
void tg_gnutls_session_send(struct tg_gnutls_session *state, const char *name, size_t size)
{
    free(state->sent);
    state->sent = size > 0 ? strndup(name, size) : NULL;
    if (size > 0 && state->sent == NULL)
        state->given_more = true;
}

bool tg_gnutls_session_give(struct tg_gnutls_session *state, const char *name)
{
    if (name == NULL || name[0] == '\0')
        return false;
    for (unsigned i = 0; i < state->given_count; i++)
        if (strcasecmp(state->given[i], name) == 0)
            return false;
    if (state->given_count < TG_GNUTLS_GIVEN &&
        (state->given[state->given_count] = strdup(name)) != NULL)
        state->given_count++;
    else
        state->given_more = true;
    return true;
}

static bool give_typed(struct tg_gnutls_session *state, const gnutls_typed_vdata_st *one)
{
    char address[INET6_ADDRSTRLEN] = "", name[TG_HOST_SIZE] = "";

    if (one->type == TG_GNUTLS_DT_IP_ADDRESS && (one->size == 4 || one->size == 16) &&
        inet_ntop(one->size == 4 ? AF_INET : AF_INET6, one->data, address, sizeof(address)) != NULL)
        return tg_gnutls_session_give(state, address);
    if (one->type != TG_GNUTLS_DT_DNS_HOSTNAME)
        return false;
    if (one->size == 0) /* it ends with a NUL (gnutls_certificate_verify_peers(3)) */
        return tg_gnutls_session_give(state, (const char *)one->data);
    if (one->size >= sizeof(name)) {
        state->given_more = true;
        return true;
    }
    memcpy(name, one->data, one->size);
    return tg_gnutls_session_give(state, name);
}

bool tg_gnutls_session_give_all(struct tg_gnutls_session *state, const char *host,
                                const gnutls_typed_vdata_st *data, unsigned count)
{
    bool new = tg_gnutls_session_give(state, host);

    for (unsigned i = 0; data != NULL && i < count; i++)
        new = give_typed(state, &data[i]) || new;
    return new;
}

void tg_gnutls_session_hide(struct tg_gnutls_session *state)
{
    OPENSSL_free(state->alias);
    free(state->shown);
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
