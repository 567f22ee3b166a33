/*
 * nss_cert.c - the interposed functions of libnss3 by which a program verifies a server's
 * certificate apart from its socket. The library's own answer stands where it is good, and for
 * every leaf that this process hasn't accepted.
 */
#include "nss_real.h"

#define REAL(name) TG_NSS_REAL(TG_FOREIGN_NSS, name)

/* True if the program, which was told that CERTIFICATE is bad, is to be told otherwise; HOST as the
 * hook says in `knows`. */
static bool is_known(const struct tg_foreign_target *target, const CERTCertificate *certificate,
                     const char *host)
{
    const struct tg_nss_hook *hook = target->inside ? NULL : tg_engine_nss_hook();

    return hook != NULL && hook->knows(certificate, host);
}

/* The program reads in it what is wrong. */
static bool clear(CERTVerifyLog *log, const void *caller)
{
    __typeof__(&CERT_DestroyCertificate) destroy = NULL;

    if (log == NULL)
        return true;
    destroy = (__typeof__(destroy))tg_resolve_foreign(TG_FOREIGN_NSS,
                                                      TG_SYMBOL_CERT_DestroyCertificate, caller)
                  .function;
    if (destroy == NULL)
        return false;
    for (CERTVerifyLogNode *node = log->head; node != NULL; node = node->next)
        if (node->cert != NULL)
            destroy(node->cert);
    log->head = log->tail = NULL;
    log->count = 0;
    return true;
}

TG_API SECStatus CERT_VerifyCertName(const CERTCertificate *certificate, const char *host)
{
    REAL(CERT_VerifyCertName);
    SECStatus result = real != NULL ? real(certificate, host) : SECFailure;

    if (result != SECSuccess && host != NULL && is_known(&target, certificate, host))
        return SECSuccess;
    return result;
}

/* USAGES that are RETURNED (may be NULL) are told one by one. */
static SECStatus settle(const struct tg_foreign_target *target, const CERTCertificate *certificate,
                        SECCertificateUsage usages, SECCertificateUsage *returned, SECStatus result)
{
    bool lacks = returned != NULL && !(*returned & TG_certificateUsageSSLServer);

    if ((result == SECSuccess && !lacks) || (usages & ~TG_certificateUsageSSLServer) != 0 ||
        !is_known(target, certificate, NULL))
        return result;
    if (returned != NULL)
        *returned |= TG_certificateUsageSSLServer;
    return SECSuccess;
}

TG_API SECStatus CERT_VerifyCertificate(CERTCertDBHandle *database, CERTCertificate *certificate,
                                        PRBool check_signature, SECCertificateUsage usages,
                                        PRTime when, void *pin, CERTVerifyLog *log,
                                        SECCertificateUsage *returned)
{
    REAL(CERT_VerifyCertificate);
    SECStatus result = SECFailure, settled = SECFailure;

    if (real == NULL)
        return SECFailure;
    result = real(database, certificate, check_signature, usages, when, pin, log, returned);
    settled = settle(&target, certificate, usages, returned, result);
    if (result != settled && !clear(log, __builtin_return_address(0)))
        return result;
    return settled;
}

TG_API SECStatus CERT_VerifyCertificateNow(CERTCertDBHandle *database, CERTCertificate *certificate,
                                           PRBool check_signature, SECCertificateUsage usages,
                                           void *pin, SECCertificateUsage *returned)
{
    REAL(CERT_VerifyCertificateNow);

    return real == NULL
               ? SECFailure
               : settle(&target, certificate, usages, returned,
                        real(database, certificate, check_signature, usages, pin, returned));
}

/* The same of one USAGE, which is numbered otherwise. */
static SECStatus settle_one(const struct tg_foreign_target *target,
                            const CERTCertificate *certificate, SECCertUsage usage,
                            SECStatus result)
{
    return usage == TG_certUsageSSLServer
               ? settle(target, certificate, TG_certificateUsageSSLServer, NULL, result)
               : result;
}

TG_API SECStatus CERT_VerifyCert(CERTCertDBHandle *database, CERTCertificate *certificate,
                                 PRBool check_signature, SECCertUsage usage, PRTime when, void *pin,
                                 CERTVerifyLog *log)
{
    REAL(CERT_VerifyCert);
    SECStatus result = SECFailure, settled = SECFailure;

    if (real == NULL)
        return SECFailure;
    result = real(database, certificate, check_signature, usage, when, pin, log);
    settled = settle_one(&target, certificate, usage, result);
    if (result != settled && !clear(log, __builtin_return_address(0)))
        return result;
    return settled;
}

TG_API SECStatus CERT_VerifyCertNow(CERTCertDBHandle *database, CERTCertificate *certificate,
                                    PRBool check_signature, SECCertUsage usage, void *pin)
{
    REAL(CERT_VerifyCertNow);

    return real == NULL ? SECFailure
                        : settle_one(&target, certificate, usage,
                                     real(database, certificate, check_signature, usage, pin));
}

/* Of a path that NSS hasn't found nothing can be told that the program asks for. */
TG_API SECStatus CERT_PKIXVerifyCert(CERTCertificate *certificate, SECCertificateUsage usages,
                                     CERTValInParam *with, CERTValOutParam *asked, void *pin)
{
    REAL(CERT_PKIXVerifyCert);
    SECStatus result = real != NULL ? real(certificate, usages, with, asked, pin) : SECFailure;

    if (real == NULL || result == SECWouldBlock || (asked != NULL && asked[0].type != 0))
        return result;
    return settle(&target, certificate, usages, NULL, result);
}

TG_API SECCertTimeValidity CERT_CheckCertValidTimes(const CERTCertificate *certificate, PRTime when,
                                                    PRBool allow_override)
{
    REAL(CERT_CheckCertValidTimes);
    SECCertTimeValidity valid = real != NULL ? real(certificate, when, allow_override) : 3;

    return valid != 0 && real != NULL && is_known(&target, certificate, NULL) ? 0 : valid;
}
