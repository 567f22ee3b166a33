/*
 * gnutls_x509.c - the interposed functions of libgnutls by which a program verifies a certificate
 * apart from its session. The library's own answer stands where it is good, and for every leaf
 * that this process hasn't accepted.
 */
#include "gnutls_real.h"
#include <string.h>

enum { A_DAY = 24 * 60 * 60 };

/* What RESULT and *STATUS come to for CERTIFICATE; HOST as the hook says in `knows`. */
static int settle(const struct tg_foreign_target *target, gnutls_x509_crt_t certificate,
                  const char *host, int result, unsigned *status)
{
    struct tg_engine_gnutls gnutls;

    if (result >= 0 && status != NULL && *status != 0 && tg_gnutls_hooked(target, &gnutls) &&
        gnutls.hook->knows(gnutls.library, certificate, host, NULL, 0))
        *status = 0;
    return result;
}

static unsigned settle_name(const struct tg_foreign_target *target, gnutls_x509_crt_t certificate,
                            const char *host, unsigned matches)
{
    struct tg_engine_gnutls gnutls;

    if (matches == 0 && host != NULL && tg_gnutls_hooked(target, &gnutls) &&
        gnutls.hook->knows(gnutls.library, certificate, host, NULL, 0))
        return 1;
    return matches;
}

TG_API unsigned gnutls_x509_crt_check_hostname(gnutls_x509_crt_t certificate, const char *host)
{
    TG_GNUTLS_REAL(gnutls_x509_crt_check_hostname);

    return real == NULL ? 0 : settle_name(&target, certificate, host, real(certificate, host));
}

TG_API unsigned gnutls_x509_crt_check_hostname2(gnutls_x509_crt_t certificate, const char *host,
                                                unsigned flags)
{
    TG_GNUTLS_REAL(gnutls_x509_crt_check_hostname2);

    return real == NULL ? 0
                        : settle_name(&target, certificate, host, real(certificate, host, flags));
}

TG_API unsigned gnutls_x509_crt_check_ip(gnutls_x509_crt_t certificate,
                                         const unsigned char *address, unsigned size,
                                         unsigned flags)
{
    TG_GNUTLS_REAL(gnutls_x509_crt_check_ip);
    struct tg_engine_gnutls gnutls;
    unsigned matches = real != NULL ? real(certificate, address, size, flags) : 0;

    if (matches == 0 && address != NULL && tg_gnutls_hooked(&target, &gnutls) &&
        gnutls.hook->knows(gnutls.library, certificate, NULL, address, size))
        return 1;
    return matches;
}

TG_API int gnutls_x509_crt_verify(gnutls_x509_crt_t certificate, const gnutls_x509_crt_t *cas,
                                  unsigned cas_count, unsigned flags, unsigned *status)
{
    TG_GNUTLS_REAL(gnutls_x509_crt_verify);

    if (real == NULL)
        return TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;
    return settle(&target, certificate, NULL, real(certificate, cas, cas_count, flags, status),
                  status);
}

TG_API int gnutls_x509_crt_list_verify(const gnutls_x509_crt_t *list, unsigned count,
                                       const gnutls_x509_crt_t *cas, unsigned cas_count,
                                       const gnutls_x509_crl_t *crls, unsigned crls_count,
                                       unsigned flags, unsigned *status)
{
    TG_GNUTLS_REAL(gnutls_x509_crt_list_verify);

    if (real == NULL)
        return TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;
    return settle(&target, count > 0 ? list[0] : NULL, NULL,
                  real(list, count, cas, cas_count, crls, crls_count, flags, status), status);
}

TG_API int gnutls_x509_trust_list_verify_crt(gnutls_x509_trust_list_t trusted,
                                             gnutls_x509_crt_t *list, unsigned count,
                                             unsigned flags, unsigned *status,
                                             gnutls_verify_output_function *told)
{
    TG_GNUTLS_REAL(gnutls_x509_trust_list_verify_crt);

    if (real == NULL)
        return TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;
    return settle(&target, count > 0 ? list[0] : NULL, NULL,
                  real(trusted, list, count, flags, status, told), status);
}

/* A rule has accepted a server, and nothing else that its certificate may be for. */
static bool is_for_servers(const gnutls_typed_vdata_st *purpose)
{
    return purpose->type == TG_GNUTLS_DT_KEY_PURPOSE_OID && purpose->data != NULL &&
           strcmp((const char *)purpose->data, "1.3.6.1.5.5.7.3.1") == 0;
}

/* The name among DATA; NULL: none. More than one, or one of another kind, is nobody's to answer:
 * *ANSWERED is false then. */
static const char *name_in(const gnutls_typed_vdata_st *data, unsigned count, char room[256],
                           bool *answered)
{
    const char *host = NULL;

    *answered = true;
    for (unsigned i = 0; data != NULL && i < count; i++) {
        if (data[i].type != TG_GNUTLS_DT_DNS_HOSTNAME)
            *answered = *answered && is_for_servers(&data[i]);
        else if (host != NULL || data[i].size >= 256)
            *answered = false;
        else if (data[i].size == 0)
            host = (const char *)data[i].data;
        else {
            memcpy(room, data[i].data, data[i].size);
            room[data[i].size] = '\0';
            host = room;
        }
    }
    return host;
}

TG_API int gnutls_x509_trust_list_verify_crt2(gnutls_x509_trust_list_t trusted,
                                              gnutls_x509_crt_t *list, unsigned count,
                                              gnutls_typed_vdata_st *data, unsigned data_count,
                                              unsigned flags, unsigned *status,
                                              gnutls_verify_output_function *told)
{
    TG_GNUTLS_REAL(gnutls_x509_trust_list_verify_crt2);
    char room[256];
    const char *host = NULL;
    bool answered;
    int result;

    if (real == NULL)
        return TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;
    result = real(trusted, list, count, data, data_count, flags, status, told);
    host = name_in(data, data_count, room, &answered);
    return answered ? settle(&target, count > 0 ? list[0] : NULL, host, result, status) : result;
}

/* Whether the certificate is one that the list has under this name. */
TG_API int gnutls_x509_trust_list_verify_named_crt(gnutls_x509_trust_list_t trusted,
                                                   gnutls_x509_crt_t certificate, const void *name,
                                                   size_t size, unsigned flags, unsigned *status,
                                                   gnutls_verify_output_function *told)
{
    TG_GNUTLS_REAL(gnutls_x509_trust_list_verify_named_crt);

    if (real == NULL)
        return TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;
    return settle(&target, certificate, NULL,
                  real(trusted, certificate, name, size, flags, status, told), status);
}

static time_t settle_time(const struct tg_foreign_target *target, gnutls_x509_crt_t certificate,
                          time_t when, bool end)
{
    time_t now = time(NULL);
    struct tg_engine_gnutls gnutls;

    if (when == (time_t)-1 || (end ? when > now : when <= now) ||
        !tg_gnutls_hooked(target, &gnutls) ||
        !gnutls.hook->knows(gnutls.library, certificate, NULL, NULL, 0))
        return when;
    return end ? now + A_DAY : now - A_DAY;
}

TG_API time_t gnutls_x509_crt_get_expiration_time(gnutls_x509_crt_t certificate)
{
    TG_GNUTLS_REAL(gnutls_x509_crt_get_expiration_time);

    return real == NULL ? (time_t)-1 : settle_time(&target, certificate, real(certificate), true);
}

TG_API time_t gnutls_x509_crt_get_activation_time(gnutls_x509_crt_t certificate)
{
    TG_GNUTLS_REAL(gnutls_x509_crt_get_activation_time);

    return real == NULL ? (time_t)-1 : settle_time(&target, certificate, real(certificate), false);
}
