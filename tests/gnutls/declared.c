/* declared.c - what is declared of GnuTLS is what its own headers declare: it compiles, or not. */
#include <gnutls/gnutls.h>
#include <gnutls/ocsp.h>
#include <gnutls/socket.h>
#include <gnutls/x509.h>
#include <stddef.h>
/* behind them */
#include "gnutls_api.h"

#define SAME(name) _Static_assert((int)TG_##name == (int)(name), #name)
SAME(GNUTLS_SERVER);
SAME(GNUTLS_DATAGRAM);
SAME(GNUTLS_ENABLE_EARLY_DATA);
SAME(GNUTLS_CRD_CERTIFICATE);
SAME(GNUTLS_DT_DNS_HOSTNAME);
SAME(GNUTLS_DT_KEY_PURPOSE_OID);
SAME(GNUTLS_DT_IP_ADDRESS);
SAME(GNUTLS_X509_FMT_DER);
SAME(GNUTLS_TL_GET_COPY);
SAME(GNUTLS_ENCRYPTION_LEVEL_EARLY);
SAME(GNUTLS_ENCRYPTION_LEVEL_APPLICATION);
SAME(GNUTLS_AL_FATAL);
SAME(GNUTLS_A_BAD_CERTIFICATE);
SAME(GNUTLS_CERT_INVALID);
SAME(GNUTLS_CERT_REVOKED);
SAME(GNUTLS_CERT_SIGNER_NOT_FOUND);
SAME(GNUTLS_CERT_SIGNER_NOT_CA);
SAME(GNUTLS_CERT_INSECURE_ALGORITHM);
SAME(GNUTLS_CERT_NOT_ACTIVATED);
SAME(GNUTLS_CERT_EXPIRED);
SAME(GNUTLS_CERT_SIGNATURE_FAILURE);
SAME(GNUTLS_CERT_PURPOSE_MISMATCH);
SAME(GNUTLS_CERT_UNEXPECTED_OWNER);
SAME(GNUTLS_SSL3);
SAME(GNUTLS_TLS1_0);
SAME(GNUTLS_TLS1_1);
SAME(GNUTLS_TLS1_2);
SAME(GNUTLS_TLS1_3);
SAME(GNUTLS_DTLS0_9);
SAME(GNUTLS_DTLS1_0);
SAME(GNUTLS_DTLS1_2);
SAME(GNUTLS_E_MEMORY_ERROR);
SAME(GNUTLS_E_CERTIFICATE_ERROR);
SAME(GNUTLS_E_INVALID_REQUEST);
SAME(GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR);
SAME(GNUTLS_E_UNAVAILABLE_DURING_HANDSHAKE);
SAME(GNUTLS_E_UNIMPLEMENTED_FEATURE);

_Static_assert(offsetof(gnutls_datum_t, data) == 0 && offsetof(gnutls_datum_t, size) == 8 &&
                   sizeof(gnutls_datum_t) == 16,
               "as in policy/hook/gnutls/gnutls_api.h");
_Static_assert(offsetof(gnutls_typed_vdata_st, type) == 0 &&
                   offsetof(gnutls_typed_vdata_st, data) == 8 &&
                   offsetof(gnutls_typed_vdata_st, size) == 16 &&
                   sizeof(gnutls_typed_vdata_st) == 24,
               "as in policy/hook/gnutls/gnutls_api.h");
