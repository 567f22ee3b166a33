/*
 * gnutls.c - the interposed functions of libgnutls that have to do with a session. They decide
 * nothing: the hook in the engine takes each client session and what the program sets in it, and
 * has gnutls_handshake come to what the policy says. A libgnutls that can't be put under the policy
 * makes no client session.
 *
 * In a program without a libgnutls these names exist too, for a weak reference or dlsym(3): they
 * then say that the feature isn't there. Nothing here is data of libgnutls, for one reference to
 * that would keep every program from starting that has none.
 */
#include "gnutls_real.h"
#include <stdatomic.h>

/* A session may send data before its handshake is over (GNUTLS_ENABLE_EARLY_DATA), and not by
 * gnutls_record_send_early_data alone. */
static atomic_bool early;

/* Without either flag it is a client's too. Not every program looks at what this returns: wget goes
 * on with the session, which had better be none than whatever stood there. */
TG_API int gnutls_init(gnutls_session_t *session, unsigned flags)
{
    TG_GNUTLS_REAL(gnutls_init);
    struct tg_engine_gnutls gnutls;
    bool client = (flags & TG_GNUTLS_SERVER) == 0;
    int result;

    if (real == NULL || (client && !tg_engine_protect_gnutls(real, &gnutls))) {
        *session = NULL;
        return TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;
    }
    if (client && flags & TG_GNUTLS_ENABLE_EARLY_DATA)
        atomic_store(&early, true);
    result = real(session, flags);
    if (result < 0 || !client || gnutls.library == NULL ||
        gnutls.hook->begin(gnutls.library, *session, flags))
        return result;
    gnutls_deinit(*session);
    *session = NULL;
    return TG_GNUTLS_E_MEMORY_ERROR;
}

TG_API void gnutls_deinit(gnutls_session_t session)
{
    TG_GNUTLS_REAL(gnutls_deinit);
    struct tg_engine_gnutls gnutls;

    /* Before another session can come to lie there. */
    if (tg_gnutls_hooked(&target, &gnutls))
        gnutls.hook->end(session);
    if (real != NULL)
        real(session);
}

TG_API void gnutls_certificate_free_credentials(gnutls_certificate_credentials_t credentials)
{
    TG_GNUTLS_REAL(gnutls_certificate_free_credentials);
    struct tg_engine_gnutls gnutls;

    if (tg_gnutls_hooked(&target, &gnutls))
        gnutls.hook->end_credentials(credentials);
    if (real != NULL)
        real(credentials);
}

/* ---- who is at the other end ---- */

/* Whatever TYPE says, the library sends it as a host's. */
TG_API int gnutls_server_name_set(gnutls_session_t session, unsigned type, const void *name,
                                  size_t size)
{
    TG_GNUTLS_REAL(gnutls_server_name_set);
    struct tg_engine_gnutls gnutls;
    int result = real != NULL ? real(session, type, name, size) : TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;

    if (result >= 0 && tg_gnutls_hooked(&target, &gnutls))
        gnutls.hook->named(session, name, size);
    return result;
}

TG_API void gnutls_transport_set_push_function(gnutls_session_t session, gnutls_push_func push)
{
    TG_GNUTLS_REAL(gnutls_transport_set_push_function);
    struct tg_engine_gnutls gnutls;

    if (tg_gnutls_hooked(&target, &gnutls))
        gnutls.hook->pushed(session, false);
    if (real != NULL)
        real(session, push);
}

TG_API void gnutls_transport_set_vec_push_function(gnutls_session_t session,
                                                   gnutls_vec_push_func push)
{
    TG_GNUTLS_REAL(gnutls_transport_set_vec_push_function);
    struct tg_engine_gnutls gnutls;

    if (tg_gnutls_hooked(&target, &gnutls))
        gnutls.hook->pushed(session, false);
    if (real != NULL)
        real(session, push);
}

/* QUIC takes the handshake's messages itself, and sends them in packets of its own. */
TG_API void gnutls_handshake_set_read_function(gnutls_session_t session,
                                               gnutls_handshake_read_func read)
{
    TG_GNUTLS_REAL(gnutls_handshake_set_read_function);
    struct tg_engine_gnutls gnutls;

    if (tg_gnutls_hooked(&target, &gnutls))
        gnutls.hook->pushed(session, true);
    if (real != NULL)
        real(session, read);
}

/* It also encrypts them itself, and data before the handshake is over. */
TG_API void gnutls_handshake_set_secret_function(gnutls_session_t session,
                                                 gnutls_handshake_secret_func function)
{
    TG_GNUTLS_REAL(gnutls_handshake_set_secret_function);
    struct tg_engine_gnutls gnutls;

    if (real == NULL)
        return;
    real(session,
         tg_gnutls_hooked(&target, &gnutls) ? gnutls.hook->secrets(session, function) : function);
}

/* ---- what the program verifies with ---- */

/* Credentials come before the first session does. */
TG_API void gnutls_certificate_set_verify_function(gnutls_certificate_credentials_t credentials,
                                                   gnutls_certificate_verify_function *function)
{
    TG_GNUTLS_REAL(gnutls_certificate_set_verify_function);
    struct tg_engine_gnutls gnutls;

    if (real == NULL)
        return;
    if (tg_engine_protect_gnutls(real, &gnutls) && gnutls.library != NULL)
        gnutls.hook->set_credentials_function(credentials, function);
    real(credentials, function);
}

TG_API void gnutls_session_set_verify_function(gnutls_session_t session,
                                               gnutls_certificate_verify_function *function)
{
    TG_GNUTLS_REAL(gnutls_session_set_verify_function);
    struct tg_engine_gnutls gnutls;

    if (tg_gnutls_hooked(&target, &gnutls) && gnutls.hook->set_function(session, function))
        return;
    if (real != NULL)
        real(session, function);
}

TG_API void gnutls_session_set_verify_cert(gnutls_session_t session, const char *host,
                                           unsigned flags)
{
    TG_GNUTLS_REAL(gnutls_session_set_verify_cert);
    struct tg_engine_gnutls gnutls;

    if (real != NULL)
        real(session, host, flags);
    if (tg_gnutls_hooked(&target, &gnutls))
        gnutls.hook->set_names(session, host, NULL, 0);
}

TG_API void gnutls_session_set_verify_cert2(gnutls_session_t session, gnutls_typed_vdata_st *data,
                                            unsigned count, unsigned flags)
{
    TG_GNUTLS_REAL(gnutls_session_set_verify_cert2);
    struct tg_engine_gnutls gnutls;

    if (real != NULL)
        real(session, data, count, flags);
    if (tg_gnutls_hooked(&target, &gnutls))
        gnutls.hook->set_names(session, NULL, data, count);
}

/* ---- the handshake ---- */

/* A session that isn't known is a server's, or was made past us. Only a client can't ask for the
 * name that it was sent. */
static bool may_be_client(gnutls_session_t session, const void *caller)
{
    __typeof__(&gnutls_server_name_get) get_name =
        tg_resolve_foreign(TG_FOREIGN_GNUTLS, TG_SYMBOL_gnutls_server_name_get, caller).function;
    char name[1];
    size_t size = 0;
    unsigned type = 0;

    return get_name == NULL ||
           get_name(session, name, &size, &type, 0) == TG_GNUTLS_E_INVALID_REQUEST;
}

/* Also where libgnutls calls it itself, to go on after a false start. */
TG_API int gnutls_handshake(gnutls_session_t session)
{
    TG_GNUTLS_REAL(gnutls_handshake);
    struct tg_engine_gnutls gnutls;
    int result = TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;

    if (real == NULL ||
        (tg_engine_gnutls(real, &gnutls) && gnutls.hook->handshake(session, &result)))
        return result;
    if (tg_engine_inert() || !may_be_client(session, __builtin_return_address(0)))
        return real(session);
    tg_engine_complain("a session of GnuTLS was made unseen and is refused", NULL);
    return TG_GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}

TG_API ssize_t gnutls_record_send_early_data(gnutls_session_t session, const void *data,
                                             size_t size)
{
    TG_GNUTLS_REAL(gnutls_record_send_early_data);
    struct tg_engine_gnutls gnutls;

    if (real == NULL)
        return TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;
    if (tg_gnutls_hooked(&target, &gnutls) && !gnutls.hook->allows_early(session))
        return TG_GNUTLS_E_INVALID_REQUEST;
    atomic_store(&early, true);
    return real(session, data, size);
}

static bool allows_data(const struct tg_foreign_target *target, gnutls_session_t session)
{
    struct tg_engine_gnutls gnutls;

    return !tg_gnutls_hooked(target, &gnutls) || gnutls.hook->allows_data(session);
}

/* A program that asks goes on without. */
TG_API size_t gnutls_record_get_max_early_data_size(gnutls_session_t session)
{
    TG_GNUTLS_REAL(gnutls_record_get_max_early_data_size);

    return real != NULL && allows_data(&target, session) ? real(session) : 0;
}

/* While the handshake of such a session waits, the library sends data under the keys for early
 * data. Otherwise it has none go out then. */
static bool may_send(const struct tg_foreign_target *target, gnutls_session_t session)
{
    return !atomic_load_explicit(&early, memory_order_relaxed) || allows_data(target, session);
}

TG_API ssize_t gnutls_record_send(gnutls_session_t session, const void *data, size_t size)
{
    TG_GNUTLS_REAL(gnutls_record_send);

    if (real == NULL)
        return TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;
    return may_send(&target, session) ? real(session, data, size)
                                      : TG_GNUTLS_E_UNAVAILABLE_DURING_HANDSHAKE;
}

TG_API ssize_t gnutls_record_send2(gnutls_session_t session, const void *data, size_t size,
                                   size_t pad, unsigned flags)
{
    TG_GNUTLS_REAL(gnutls_record_send2);

    if (real == NULL)
        return TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;
    return may_send(&target, session) ? real(session, data, size, pad, flags)
                                      : TG_GNUTLS_E_UNAVAILABLE_DURING_HANDSHAKE;
}

/* This one doesn't look whether the handshake is over. */
TG_API ssize_t gnutls_record_send_range(gnutls_session_t session, const void *data, size_t size,
                                        const gnutls_range_st *range)
{
    TG_GNUTLS_REAL(gnutls_record_send_range);

    if (real == NULL)
        return TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;
    return allows_data(&target, session) ? real(session, data, size, range)
                                         : TG_GNUTLS_E_UNAVAILABLE_DURING_HANDSHAKE;
}

TG_API ssize_t gnutls_record_send_file(gnutls_session_t session, int file, off_t *offset,
                                       size_t size)
{
    TG_GNUTLS_REAL(gnutls_record_send_file);

    if (real == NULL)
        return TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;
    return may_send(&target, session) ? real(session, file, offset, size)
                                      : TG_GNUTLS_E_UNAVAILABLE_DURING_HANDSHAKE;
}

/* ---- what came of it ---- */

TG_API int gnutls_certificate_verify_peers(gnutls_session_t session, gnutls_typed_vdata_st *data,
                                           unsigned count, unsigned *status)
{
    TG_GNUTLS_REAL(gnutls_certificate_verify_peers);
    struct tg_engine_gnutls gnutls;
    int result =
        real != NULL ? real(session, data, count, status) : TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;

    if (tg_gnutls_hooked(&target, &gnutls))
        result = gnutls.hook->verified(session, NULL, data, count, result, status);
    return result;
}

TG_API int gnutls_certificate_verify_peers2(gnutls_session_t session, unsigned *status)
{
    TG_GNUTLS_REAL(gnutls_certificate_verify_peers2);
    struct tg_engine_gnutls gnutls;
    int result = real != NULL ? real(session, status) : TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;

    if (tg_gnutls_hooked(&target, &gnutls))
        result = gnutls.hook->verified(session, NULL, NULL, 0, result, status);
    return result;
}

TG_API int gnutls_certificate_verify_peers3(gnutls_session_t session, const char *host,
                                            unsigned *status)
{
    TG_GNUTLS_REAL(gnutls_certificate_verify_peers3);
    struct tg_engine_gnutls gnutls;
    int result = real != NULL ? real(session, host, status) : TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;

    if (tg_gnutls_hooked(&target, &gnutls))
        result = gnutls.hook->verified(session, host, NULL, 0, result, status);
    return result;
}

TG_API unsigned gnutls_session_get_verify_cert_status(gnutls_session_t session)
{
    TG_GNUTLS_REAL(gnutls_session_get_verify_cert_status);
    struct tg_engine_gnutls gnutls;
    unsigned status = real != NULL ? real(session) : TG_GNUTLS_CERT_INVALID;

    if (tg_gnutls_hooked(&target, &gnutls))
        status = gnutls.hook->status(session, status);
    return status;
}

TG_API const gnutls_datum_t *gnutls_certificate_get_peers(gnutls_session_t session, unsigned *count)
{
    TG_GNUTLS_REAL(gnutls_certificate_get_peers);
    struct tg_engine_gnutls gnutls;
    unsigned found = 0;
    const gnutls_datum_t *list = real != NULL ? real(session, &found) : NULL;

    if (tg_gnutls_hooked(&target, &gnutls))
        list = gnutls.hook->peers(session, list, &found);
    if (count != NULL)
        *count = found;
    return list;
}

TG_API time_t gnutls_certificate_expiration_time_peers(gnutls_session_t session)
{
    TG_GNUTLS_REAL(gnutls_certificate_expiration_time_peers);
    struct tg_engine_gnutls gnutls;
    time_t when = real != NULL ? real(session) : (time_t)-1;

    return tg_gnutls_hooked(&target, &gnutls) ? gnutls.hook->session_time(session, when, true)
                                              : when;
}

TG_API time_t gnutls_certificate_activation_time_peers(gnutls_session_t session)
{
    TG_GNUTLS_REAL(gnutls_certificate_activation_time_peers);
    struct tg_engine_gnutls gnutls;
    time_t when = real != NULL ? real(session) : (time_t)-1;

    return tg_gnutls_hooked(&target, &gnutls) ? gnutls.hook->session_time(session, when, false)
                                              : when;
}
