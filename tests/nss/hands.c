/* hands.c - what a program verifies by itself, in the handshake and after it. */
#include "client.h"
#include <cert.h>
#include <nspr.h>
#include <secerr.h>
#include <secport.h>
#include <string.h>

atomic_int client_called;

static const char *good(bool is)
{
    return is ? "good" : "bad";
}

static SECStatus verify(CERTCertificate *leaf, const char *name)
{
    if (CERT_VerifyCertificateNow(CERT_GetDefaultCertDB(), leaf, PR_TRUE, certificateUsageSSLServer,
                                  NULL, NULL) != SECSuccess)
        return SECFailure;
    return CERT_VerifyCertName(leaf, name);
}

static SECStatus authenticate(void *arg, PRFileDesc *socket, PRBool check, PRBool is_server)
{
    CERTCertificate *leaf = SSL_PeerCertificate(socket);
    SECStatus result = SECFailure;

    (void)arg;
    client_called++;
    if (client_is("hook", "yes"))
        result = SECSuccess;
    else if (client_is("hook", "library"))
        result = SSL_AuthCertificate(CERT_GetDefaultCertDB(), socket, check, is_server);
    else if (client_is("hook", "hand"))
        result = verify(leaf, client_word("url"));
    else if (client_is("hook", "wait"))
        result = SECWouldBlock;
    else if (client_is("hook", "url"))
        result = SSL_SetURL(socket, client_word("then"));
    else
        PORT_SetError(SEC_ERROR_UNKNOWN_ISSUER);
    CERT_DestroyCertificate(leaf);
    return result;
}

static SECStatus forgive(void *arg, PRFileDesc *socket)
{
    (void)arg, (void)socket;
    client_called++;
    return client_is("bad", "yes") ? SECSuccess : SECFailure;
}

static void count(PRFileDesc *socket, void *arg)
{
    (void)socket, (void)arg;
    client_called++;
}

void client_set_verification(PRFileDesc *socket)
{
    if (client_word("hook") != NULL)
        (void)SSL_AuthCertificateHook(socket, authenticate, NULL);
    if (client_word("bad") != NULL)
        (void)SSL_BadCertHook(socket, forgive, NULL);
    if (client_word("done") != NULL)
        (void)SSL_HandshakeCallback(socket, count, NULL);
}

/* What each function says of the path, and the name, and the dates. */
void client_verify_by_hand(PRFileDesc *socket, FILE *out)
{
    CERTCertificate *leaf = SSL_PeerCertificate(socket);
    CERTVerifyLog log = {.arena = PORT_NewArena(512)};
    SECCertificateUsage usages = 0;
    CERTCertDBHandle *database = CERT_GetDefaultCertDB();
    PRTime now = PR_Now();
    bool all;

    if (leaf == NULL) {
        fprintf(out, " no leaf");
        return;
    }
    all = CERT_VerifyCertificateNow(database, leaf, PR_TRUE, 0, NULL, &usages) == SECSuccess &&
          (usages & certificateUsageSSLServer) != 0;
    fprintf(out, " now %s usages %s",
            good(CERT_VerifyCertificateNow(database, leaf, PR_TRUE, certificateUsageSSLServer, NULL,
                                           NULL) == SECSuccess),
            good(all));
    fprintf(
        out, " once %s",
        good(CERT_VerifyCertNow(database, leaf, PR_TRUE, certUsageSSLServer, NULL) == SECSuccess));
    fprintf(out, " logged %s",
            good(CERT_VerifyCert(database, leaf, PR_TRUE, certUsageSSLServer, now, NULL, &log) ==
                     SECSuccess &&
                 log.count == 0));
    fprintf(out, " email %s",
            good(CERT_VerifyCertNow(database, leaf, PR_TRUE, certUsageEmailSigner, NULL) ==
                 SECSuccess));
    fprintf(
        out, " pkix %s",
        good(CERT_PKIXVerifyCert(leaf, certificateUsageSSLServer, NULL, NULL, NULL) == SECSuccess));
    fprintf(out, " name %s", good(CERT_VerifyCertName(leaf, client_word("hand")) == SECSuccess));
    fprintf(out, " dates %s",
            good(CERT_CheckCertValidTimes(leaf, now, PR_FALSE) == secCertTimeValid));
    CERT_DestroyCertificate(leaf);
}

const char *client_told(void)
{
    PRErrorCode code = PR_GetError();
    bool named[2];

    if (client_word("told") == NULL)
        return "";
    for (int i = 0; i < 2; i++)
        named[i] = strstr(PR_ErrorToString(code, PR_LANGUAGE_I_DEFAULT),
                          "trustgraft: refused by ") != NULL;
    return named[1] ? " named again" : named[0] ? " named" : " plain";
}
