/*
 * nss_api.h - what is declared of NSS and NSPR (their ssl.h, cert.h, certt.h and prio.h), so that
 * their headers aren't needed, and how the preload gets the hook into an NSS: as inject.h does for
 * a libssl, whose rules hold here too.
 *
 * A socket is shown to the hook when libssl3 makes its layer, whose methods become the hook's: so
 * it sees each byte that is to pass, by whatever function. The decision falls in the handshake, and
 * the hook gives the answers to what the program asks of the certificate afterwards.
 */
#ifndef TG_NSS_API_H
#define TG_NSS_API_H

#include "inject.h"

/* Not where its own headers came first, as in the test that holds the two against each other. */
#ifndef __ssl_h_
typedef int PRBool;
typedef int PRErrorCode;
typedef unsigned PRIntervalTime;
typedef int64_t PRTime;
typedef int64_t SECCertificateUsage;
typedef enum { PR_FAILURE = -1, PR_SUCCESS = 0 } PRStatus;
typedef enum { SECWouldBlock = -2, SECFailure = -1, SECSuccess = 0 } SECStatus;
typedef int SECCertUsage;        /* an enumeration */
typedef int SECCertTimeValidity; /* likewise; 0: valid */
typedef struct CERTCertDBHandleStr CERTCertDBHandle;
typedef struct PLArenaPool PLArenaPool;
typedef struct PRFileDesc PRFileDesc;
typedef union PRNetAddr PRNetAddr;
typedef struct PRIOVec PRIOVec;
typedef struct PRSendFileData PRSendFileData;

typedef struct {
    int type;
    unsigned char *data;
    unsigned len;
} SECItem;

typedef struct {
    SECItem *items;
    unsigned len;
} SECItemArray;

typedef struct {
    unsigned sslFlags, emailFlags, objectSigningFlags;
} CERTCertTrust;

typedef struct { /* as far as it is read */
    PLArenaPool *arena;
    char *subjectName, *issuerName;
    SECItem signatureWrap[4];
    SECItem derCert;
} CERTCertificate;

typedef struct CERTCertListNodeStr {
    struct CERTCertListNodeStr *next, *prev;
    CERTCertificate *cert;
    void *appData;
} CERTCertListNode;

typedef struct { /* the head of a circle of nodes */
    CERTCertListNode *next, *prev;
    PLArenaPool *arena;
} CERTCertList;

typedef struct CERTVerifyLogNodeStr {
    CERTCertificate *cert;
    long error;
    unsigned depth;
    void *arg;
    struct CERTVerifyLogNodeStr *next, *prev;
} CERTVerifyLogNode;

typedef struct {
    PLArenaPool *arena;
    unsigned count;
    CERTVerifyLogNode *head, *tail;
} CERTVerifyLog;

typedef struct CERTValInParamStr CERTValInParam;
typedef struct { /* as far as it is read */
    int type;    /* 0: there are no more */
} CERTValOutParam;

typedef struct { /* as far as it is read */
    unsigned length, valuesSet;
    unsigned short protocolVersion, cipherSuite;
} SSLPreliminaryChannelInfo;

typedef SECStatus (*SSLAuthCertificate)(void *arg, PRFileDesc *fd, PRBool check_signature,
                                        PRBool is_server);
typedef SECStatus (*SSLBadCertHandler)(void *arg, PRFileDesc *fd);
typedef void (*SSLHandshakeCallback)(PRFileDesc *fd, void *arg);

typedef struct PRIOMethods {
    int file_type;
    PRStatus (*close)(PRFileDesc *fd);
    int (*read)(PRFileDesc *fd, void *data, int size);
    int (*write)(PRFileDesc *fd, const void *data, int size);
    void *available[7]; /* to fileInfo64 */
    int (*writev)(PRFileDesc *fd, const PRIOVec *data, int count, PRIntervalTime timeout);
    PRStatus (*connect)(PRFileDesc *fd, const PRNetAddr *address, PRIntervalTime timeout);
    PRFileDesc *(*accept)(PRFileDesc *fd, PRNetAddr *address, PRIntervalTime timeout);
    void *bind[2]; /* and listen */
    PRStatus (*shutdown)(PRFileDesc *fd, int how);
    int (*recv)(PRFileDesc *fd, void *data, int size, int flags, PRIntervalTime timeout);
    int (*send)(PRFileDesc *fd, const void *data, int size, int flags, PRIntervalTime timeout);
    int (*recvfrom)(PRFileDesc *fd, void *data, int size, int flags, PRNetAddr *address,
                    PRIntervalTime timeout);
    int (*sendto)(PRFileDesc *fd, const void *data, int size, int flags, const PRNetAddr *address,
                  PRIntervalTime timeout);
    void *poll[2]; /* and acceptread, which comes to accept and recv */
    int (*transmitfile)(PRFileDesc *fd, PRFileDesc *file, const void *headers, int size, int flags,
                        PRIntervalTime timeout);
    void *getsockname[6]; /* to setsocketoption */
    int (*sendfile)(PRFileDesc *fd, PRSendFileData *data, int flags, PRIntervalTime timeout);
    void *connectcontinue[5]; /* to reserved_fn_0 */
} PRIOMethods;

struct PRFileDesc {
    const PRIOMethods *methods;
    void *secret;
    PRFileDesc *lower, *higher;
    void (*dtor)(PRFileDesc *fd);
    int identity;
};
#endif

/* Of its enumerations and macros: those that are used, under our names, with their values. */
enum {
    TG_SSL_SECURITY = 1,
    TG_SSL_HANDSHAKE_AS_CLIENT = 5,
    TG_SSL_HANDSHAKE_AS_SERVER = 6,
    TG_SSL_NO_CACHE = 9,
    TG_SSL_ENABLE_OCSP_STAPLING = 24,
    TG_SSL_ENABLE_0RTT_DATA = 33,
    TG_ssl_preinfo_version = 1,
    TG_PR_SHUTDOWN_BOTH = 2,
    TG_PR_OUT_OF_MEMORY_ERROR = -6000,
    TG_SEC_ERROR_REVOKED_CERTIFICATE = -8180,
    TG_SEC_ERROR_UNTRUSTED_CERT = -8171,
    TG_SEC_ERROR_REVOKED_CERTIFICATE_CRL = -8047,
    TG_SEC_ERROR_REVOKED_CERTIFICATE_OCSP = -8046,
    TG_CERTDB_TERMINAL_RECORD = 1 << 0,
    TG_CERTDB_TRUSTED = 1 << 1,
    TG_CERTDB_TRUSTED_CA = 1 << 4,
    TG_certUsageSSLServer = 1,
    TG_certificateUsageSSLServer = 2
};

/*
 * X(result, name, (parameters)). The first stand in libssl3 and are interposed; so are the next, by
 * which a program verifies a certificate by itself, in libnss3. The others are what the hook
 * calls besides, of libssl3 and of what that is linked to.
 */
#define TG_NSS_INTERPOSED(X)                                                                       \
    X(PRFileDesc *, SSL_ImportFD, (PRFileDesc *, PRFileDesc *))                                    \
    X(PRFileDesc *, DTLS_ImportFD, (PRFileDesc *, PRFileDesc *))                                   \
    X(PRFileDesc *, SSL_ReconfigFD, (PRFileDesc *, PRFileDesc *))                                  \
    X(SECStatus, SSL_AuthCertificateHook, (PRFileDesc *, SSLAuthCertificate, void *))              \
    X(SECStatus, SSL_AuthCertificate, (void *, PRFileDesc *, PRBool, PRBool))                      \
    X(SECStatus, SSL_AuthCertificateComplete, (PRFileDesc *, PRErrorCode))                         \
    X(SECStatus, SSL_BadCertHook, (PRFileDesc *, SSLBadCertHandler, void *))                       \
    X(SECStatus, SSL_HandshakeCallback, (PRFileDesc *, SSLHandshakeCallback, void *))              \
    X(SECStatus, SSL_SetURL, (PRFileDesc *, const char *))                                         \
    X(SECStatus, SSL_ForceHandshake, (PRFileDesc *))                                               \
    X(SECStatus, SSL_ForceHandshakeWithTimeout, (PRFileDesc *, PRIntervalTime))                    \
    X(SECStatus, SSL_ResetHandshake, (PRFileDesc *, PRBool))

#define TG_NSS_BY_HAND(X)                                                                          \
    X(SECStatus, CERT_VerifyCertName, (const CERTCertificate *, const char *))                     \
    X(SECStatus, CERT_VerifyCertificate,                                                           \
      (CERTCertDBHandle *, CERTCertificate *, PRBool, SECCertificateUsage, PRTime, void *,         \
       CERTVerifyLog *, SECCertificateUsage *))                                                    \
    X(SECStatus, CERT_VerifyCertificateNow,                                                        \
      (CERTCertDBHandle *, CERTCertificate *, PRBool, SECCertificateUsage, void *,                 \
       SECCertificateUsage *))                                                                     \
    X(SECStatus, CERT_VerifyCert,                                                                  \
      (CERTCertDBHandle *, CERTCertificate *, PRBool, SECCertUsage, PRTime, void *,                \
       CERTVerifyLog *))                                                                           \
    X(SECStatus, CERT_VerifyCertNow,                                                               \
      (CERTCertDBHandle *, CERTCertificate *, PRBool, SECCertUsage, void *))                       \
    X(SECStatus, CERT_PKIXVerifyCert,                                                              \
      (CERTCertificate *, SECCertificateUsage, CERTValInParam *, CERTValOutParam *, void *))       \
    X(SECCertTimeValidity, CERT_CheckCertValidTimes, (const CERTCertificate *, PRTime, PRBool))

#define TG_NSS_CALLED(X)                                                                           \
    X(char *, SSL_RevealURL, (PRFileDesc *))                                                       \
    X(void *, SSL_RevealPinArg, (PRFileDesc *))                                                    \
    X(CERTCertList *, SSL_PeerCertificateChain, (PRFileDesc *))                                    \
    X(const SECItemArray *, SSL_PeerStapledOCSPResponses, (PRFileDesc *))                          \
    X(SECStatus, SSL_GetPreliminaryChannelInfo,                                                    \
      (PRFileDesc *, SSLPreliminaryChannelInfo *, unsigned))                                       \
    X(SECStatus, SSL_OptionGet, (PRFileDesc *, int, PRBool *))                                     \
    X(SECStatus, SSL_OptionSet, (PRFileDesc *, int, PRBool))                                       \
    X(SECStatus, SSL_InvalidateSession, (PRFileDesc *))

/* Of libnss3 and libnspr4. */
#define TG_NSS_CALLED_BELOW(X)                                                                     \
    X(CERTCertDBHandle *, CERT_GetDefaultCertDB, (void))                                           \
    X(CERTCertList *, CERT_CreateSubjectCertList,                                                  \
      (CERTCertList *, CERTCertDBHandle *, const SECItem *, PRTime, PRBool))                       \
    X(void, CERT_DestroyCertList, (CERTCertList *))                                                \
    X(void, CERT_DestroyCertificate, (CERTCertificate *))                                          \
    X(SECStatus, CERT_GetCertTrust, (const CERTCertificate *, CERTCertTrust *))                    \
    X(PRErrorCode, PR_GetError, (void))                                                            \
    X(int, PR_GetOSError, (void))                                                                  \
    X(void, PR_SetError, (PRErrorCode, int))                                                       \
    X(int, PR_FileDesc2NativeHandle, (PRFileDesc *))                                               \
    X(PRFileDesc *, PR_PopIOLayer, (PRFileDesc *, int))                                            \
    X(void, PR_Free, (void *))

/* Of libnspr4, and interposed. */
#define TG_NSPR_INTERPOSED(X) X(const char *, PR_ErrorToString, (PRErrorCode, unsigned))

#define TG_NSS_DECLARE(result, name, parameters) result name parameters;
TG_NSS_INTERPOSED(TG_NSS_DECLARE)
TG_NSS_BY_HAND(TG_NSS_DECLARE)
TG_NSS_CALLED(TG_NSS_DECLARE)
TG_NSS_CALLED_BELOW(TG_NSS_DECLARE)
TG_NSPR_INTERPOSED(TG_NSS_DECLARE)
#undef TG_NSS_DECLARE

struct tg_nss; /* one libssl3 of the process, with what it is linked to */

/*
 * What the preload's wrappers call, once their libssl3 is under a policy. Those that return bool
 * with *RESULT stand for the function of their name; false: nothing is known of the socket, and the
 * real one is to be called.
 */
struct tg_nss_hook {
    /* FD was imported by LIBRARY, with what MODEL (may be NULL) has set. False: no memory; FD is as
     * it was before. */
    bool (*begin)(const struct tg_nss *library, PRFileDesc *model, PRFileDesc *fd, bool datagrams);
    /* FD has got what MODEL has set. */
    void (*reconfigured)(PRFileDesc *model, PRFileDesc *fd);
    bool (*set_auth)(PRFileDesc *fd, SSLAuthCertificate function, void *arg, SECStatus *result);
    bool (*set_bad)(PRFileDesc *fd, SSLBadCertHandler function, void *arg, SECStatus *result);
    bool (*set_done)(PRFileDesc *fd, SSLHandshakeCallback function, void *arg, SECStatus *result);
    /* FD was given URL. */
    void (*named)(PRFileDesc *fd, const char *url);
    /* What the library verifies with by itself, called by the program. */
    bool (*authenticate)(PRFileDesc *fd, PRBool is_server, SECStatus *result);
    /* What *ERROR comes to, which the program's verification ended with. */
    void (*complete)(PRFileDesc *fd, PRErrorCode *error);
    /* TIMEOUT is NULL where none is given. */
    bool (*force)(PRFileDesc *fd, const PRIntervalTime *timeout, SECStatus *result);
    void (*reset)(PRFileDesc *fd, PRBool as_server);
    /* Of a certificate by itself: true if it is one that this process has accepted, for HOST;
     * NULL: for any host. */
    bool (*knows)(const CERTCertificate *certificate, const char *host);
};

/*
 * Puts the libssl3 in which ADDRESS lies under the policy: *LIBRARY and *HOOK, both for ever.
 * Without an ADDRESS *HOOK alone. As tg_inject_libssl otherwise.
 */
TG_API TG_MUST_USE enum tg_injected
tg_inject_nss(const void *address, const struct tg_nss **library, const struct tg_nss_hook **hook);

#endif
