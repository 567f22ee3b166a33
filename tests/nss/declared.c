/* declared.c - what is declared of NSS and NSPR is what their own headers declare: it compiles, or
 * not. */
#include <cert.h>
#include <certdb.h>
#include <nspr.h>
#include <secerr.h>
#include <ssl.h>
#include <stddef.h>
/* behind them */
#include "layout.h"
#include "nss_api.h"

#define SAME(name) _Static_assert((int)TG_##name == (int)(name), #name)
SAME(SSL_SECURITY);
SAME(SSL_HANDSHAKE_AS_CLIENT);
SAME(SSL_HANDSHAKE_AS_SERVER);
SAME(SSL_NO_CACHE);
SAME(SSL_ENABLE_OCSP_STAPLING);
SAME(SSL_ENABLE_0RTT_DATA);
SAME(ssl_preinfo_version);
SAME(PR_SHUTDOWN_BOTH);
SAME(PR_OUT_OF_MEMORY_ERROR);
SAME(SEC_ERROR_REVOKED_CERTIFICATE);
SAME(SEC_ERROR_UNTRUSTED_CERT);
SAME(SEC_ERROR_REVOKED_CERTIFICATE_CRL);
SAME(SEC_ERROR_REVOKED_CERTIFICATE_OCSP);
SAME(CERTDB_TERMINAL_RECORD);
SAME(CERTDB_TRUSTED);
SAME(CERTDB_TRUSTED_CA);
SAME(certUsageSSLServer);
SAME(certificateUsageSSLServer);
