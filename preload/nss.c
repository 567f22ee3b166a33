/*
 * nss.c - the interposed functions of NSS's libssl3. They decide nothing: the hook in the engine
 * takes each socket as the library makes its layer, and what the program sets in it. A libssl3 that
 * can't be put under the policy makes no layer. None of the names is OpenSSL's.
 *
 * In a program without NSS these names exist too, for a weak reference or dlsym(3): they then fail.
 */
#include "nss_real.h"

#define REAL(name) TG_NSS_REAL(TG_FOREIGN_NSS_SSL, name)

/* True, with *NSS, if what was called from the program is under a policy. */
static bool hooked(const struct tg_foreign_target *target, struct tg_engine_nss *nss)
{
    return target->function != NULL && !target->inside && tg_engine_nss(target->function, nss);
}

/* What REAL makes of FD and MODEL, under the policy. */
static PRFileDesc *import(const struct tg_foreign_target *target,
                          PRFileDesc *(*real)(PRFileDesc *, PRFileDesc *), PRFileDesc *model,
                          PRFileDesc *fd, bool datagrams)
{
    struct tg_engine_nss nss = {NULL, NULL};
    PRFileDesc *imported = NULL;

    if (real == NULL || (!target->inside && !tg_engine_protect_nss(target->function, &nss)))
        return NULL;
    imported = real(model, fd);
    if (imported == NULL || nss.library == NULL ||
        nss.hook->begin(nss.library, model, imported, datagrams))
        return imported;
    return NULL;
}

TG_API PRFileDesc *SSL_ImportFD(PRFileDesc *model, PRFileDesc *fd)
{
    REAL(SSL_ImportFD);

    return import(&target, real, model, fd, false);
}

TG_API PRFileDesc *DTLS_ImportFD(PRFileDesc *model, PRFileDesc *fd)
{
    REAL(DTLS_ImportFD);

    return import(&target, real, model, fd, true);
}

/* The hook's own callbacks are set in both. */
TG_API PRFileDesc *SSL_ReconfigFD(PRFileDesc *model, PRFileDesc *fd)
{
    REAL(SSL_ReconfigFD);
    struct tg_engine_nss nss;
    PRFileDesc *result = real != NULL ? real(model, fd) : NULL;

    if (result != NULL && hooked(&target, &nss))
        nss.hook->reconfigured(model, fd);
    return result;
}

/* ---- what the program verifies with ---- */

TG_API SECStatus SSL_AuthCertificateHook(PRFileDesc *fd, SSLAuthCertificate function, void *arg)
{
    REAL(SSL_AuthCertificateHook);
    struct tg_engine_nss nss;
    SECStatus result = SECFailure;

    if (real == NULL || (hooked(&target, &nss) && nss.hook->set_auth(fd, function, arg, &result)))
        return result;
    return real(fd, function, arg);
}

TG_API SECStatus SSL_BadCertHook(PRFileDesc *fd, SSLBadCertHandler function, void *arg)
{
    REAL(SSL_BadCertHook);
    struct tg_engine_nss nss;
    SECStatus result = SECFailure;

    if (real == NULL || (hooked(&target, &nss) && nss.hook->set_bad(fd, function, arg, &result)))
        return result;
    return real(fd, function, arg);
}

TG_API SECStatus SSL_HandshakeCallback(PRFileDesc *fd, SSLHandshakeCallback function, void *arg)
{
    REAL(SSL_HandshakeCallback);
    struct tg_engine_nss nss;
    SECStatus result = SECFailure;

    if (real == NULL || (hooked(&target, &nss) && nss.hook->set_done(fd, function, arg, &result)))
        return result;
    return real(fd, function, arg);
}

TG_API SECStatus SSL_AuthCertificate(void *arg, PRFileDesc *fd, PRBool check_signature,
                                     PRBool is_server)
{
    REAL(SSL_AuthCertificate);
    struct tg_engine_nss nss;
    SECStatus result = SECFailure;

    if (real == NULL || (hooked(&target, &nss) && nss.hook->authenticate(fd, is_server, &result)))
        return result;
    return real(arg, fd, check_signature, is_server);
}

TG_API SECStatus SSL_AuthCertificateComplete(PRFileDesc *fd, PRErrorCode error)
{
    REAL(SSL_AuthCertificateComplete);
    struct tg_engine_nss nss;

    if (real == NULL)
        return SECFailure;
    if (hooked(&target, &nss))
        nss.hook->complete(fd, &error);
    return real(fd, error);
}

TG_API SECStatus SSL_SetURL(PRFileDesc *fd, const char *url)
{
    REAL(SSL_SetURL);
    struct tg_engine_nss nss;
    SECStatus result = real != NULL ? real(fd, url) : SECFailure;

    if (result == SECSuccess && hooked(&target, &nss))
        nss.hook->named(fd, url);
    return result;
}

/* ---- the handshake ---- */

/* True if *RESULT is what came of it; false: the real function is to be called. A socket that isn't
 * known was made past us, and may be anything. */
static bool force(const struct tg_foreign_target *target, PRFileDesc *fd,
                  const PRIntervalTime *timeout, SECStatus *result)
{
    struct tg_engine_nss nss;

    *result = SECFailure;
    if (target->function == NULL || (hooked(target, &nss) && nss.hook->force(fd, timeout, result)))
        return true;
    if (target->inside || tg_engine_inert())
        return false;
    tg_engine_complain("a socket of NSS was made unseen and is refused", NULL);
    return true;
}

TG_API SECStatus SSL_ForceHandshake(PRFileDesc *fd)
{
    REAL(SSL_ForceHandshake);
    SECStatus result;

    return force(&target, fd, NULL, &result) ? result : real(fd);
}

TG_API SECStatus SSL_ForceHandshakeWithTimeout(PRFileDesc *fd, PRIntervalTime timeout)
{
    REAL(SSL_ForceHandshakeWithTimeout);
    SECStatus result;

    return force(&target, fd, &timeout, &result) ? result : real(fd, timeout);
}

TG_API SECStatus SSL_ResetHandshake(PRFileDesc *fd, PRBool as_server)
{
    REAL(SSL_ResetHandshake);
    struct tg_engine_nss nss;
    SECStatus result = real != NULL ? real(fd, as_server) : SECFailure;

    if (result == SECSuccess && hooked(&target, &nss))
        nss.hook->reset(fd, as_server);
    return result;
}
