/*
 * gnutls_api.h - what is declared of GnuTLS 3.6 to 3.8 (its gnutls.h and x509.h), so that its
 * headers aren't needed, and how the preload gets the hook into a libgnutls: as inject.h does for a
 * libssl, whose rules hold here too.
 *
 * A client session is shown to the hook when it is made, and what the program tells its library of
 * it. The decision falls at gnutls_handshake, and the hook gives the answers to what the program
 * asks of the verification afterwards.
 */
#ifndef TG_GNUTLS_API_H
#define TG_GNUTLS_API_H

#include "inject.h"
#include <sys/uio.h>
#include <time.h>

/* Not where its own header came first, as in the test that holds the two against each other. */
#ifndef GNUTLS_GNUTLS_H
typedef struct gnutls_session_int *gnutls_session_t;
typedef struct gnutls_certificate_credentials_st *gnutls_certificate_credentials_t;
typedef struct gnutls_x509_crt_int *gnutls_x509_crt_t;
typedef struct gnutls_x509_crl_int *gnutls_x509_crl_t;
typedef struct gnutls_x509_trust_list_st *gnutls_x509_trust_list_t;
typedef struct gnutls_x509_trust_list_iter *gnutls_x509_trust_list_iter_t;

typedef struct {
    unsigned char *data;
    unsigned size;
} gnutls_datum_t;

typedef struct {
    unsigned type;
    unsigned char *data;
    unsigned size;
} gnutls_typed_vdata_st;

typedef struct {
    size_t low, high;
} gnutls_range_st;

typedef int gnutls_certificate_verify_function(gnutls_session_t session);
typedef int gnutls_verify_output_function(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer,
                                          gnutls_x509_crl_t crl, unsigned output);
typedef ssize_t (*gnutls_push_func)(void *transport, const void *data, size_t size);
typedef ssize_t (*gnutls_vec_push_func)(void *transport, const struct iovec *data, int count);
typedef ssize_t (*gnutls_pull_func)(void *transport, void *data, size_t size);
typedef int (*gnutls_handshake_read_func)(gnutls_session_t session, unsigned level, unsigned type,
                                          const void *data, size_t size);
typedef int (*gnutls_handshake_secret_func)(gnutls_session_t session, unsigned level,
                                            const void *read, const void *write, size_t size);
typedef int (*gnutls_pull_timeout_func)(void *transport, unsigned wait);
typedef int (*gnutls_errno_func)(void *transport);
#endif

/* Of its enumerations and macros: those that are used, under our names, with their values. */
enum {
    TG_GNUTLS_SERVER = 1 << 0,
    TG_GNUTLS_DATAGRAM = 1 << 2,
    TG_GNUTLS_ENABLE_EARLY_DATA = 1 << 20,
    TG_GNUTLS_CRD_CERTIFICATE = 1,
    TG_GNUTLS_DT_DNS_HOSTNAME = 1,
    TG_GNUTLS_DT_KEY_PURPOSE_OID = 2,
    TG_GNUTLS_DT_IP_ADDRESS = 4,
    TG_GNUTLS_X509_FMT_DER = 0,
    TG_GNUTLS_TL_GET_COPY = 1 << 4,
    TG_GNUTLS_ENCRYPTION_LEVEL_EARLY = 1,
    TG_GNUTLS_ENCRYPTION_LEVEL_APPLICATION = 3,
    TG_GNUTLS_AL_FATAL = 2,
    TG_GNUTLS_A_BAD_CERTIFICATE = 42,
    TG_GNUTLS_CERT_INVALID = 1 << 1,
    TG_GNUTLS_CERT_REVOKED = 1 << 5,
    TG_GNUTLS_CERT_SIGNER_NOT_FOUND = 1 << 6,
    TG_GNUTLS_CERT_SIGNER_NOT_CA = 1 << 7,
    TG_GNUTLS_CERT_INSECURE_ALGORITHM = 1 << 8,
    TG_GNUTLS_CERT_NOT_ACTIVATED = 1 << 9,
    TG_GNUTLS_CERT_EXPIRED = 1 << 10,
    TG_GNUTLS_CERT_SIGNATURE_FAILURE = 1 << 11,
    TG_GNUTLS_CERT_UNEXPECTED_OWNER = 1 << 14,
    TG_GNUTLS_CERT_PURPOSE_MISMATCH = 1 << 18,
    TG_GNUTLS_SSL3 = 1,
    TG_GNUTLS_TLS1_0 = 2,
    TG_GNUTLS_TLS1_1 = 3,
    TG_GNUTLS_TLS1_2 = 4,
    TG_GNUTLS_TLS1_3 = 5,
    TG_GNUTLS_DTLS0_9 = 200,
    TG_GNUTLS_DTLS1_0 = 201,
    TG_GNUTLS_DTLS1_2 = 202,
    TG_GNUTLS_E_MEMORY_ERROR = -25,
    TG_GNUTLS_E_CERTIFICATE_ERROR = -43,
    TG_GNUTLS_E_INVALID_REQUEST = -50,
    TG_GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR = -348,
    TG_GNUTLS_E_UNAVAILABLE_DURING_HANDSHAKE = -408,
    TG_GNUTLS_E_UNIMPLEMENTED_FEATURE = -1250
};

/*
 * X(result, name, (parameters)). The first are interposed; the others are what the hook calls
 * besides. Every one of them stands in a GnuTLS of 3.6 or later.
 */
#define TG_GNUTLS_INTERPOSED(X)                                                                    \
    X(int, gnutls_init, (gnutls_session_t *, unsigned))                                            \
    X(void, gnutls_deinit, (gnutls_session_t))                                                     \
    X(void, gnutls_certificate_free_credentials, (gnutls_certificate_credentials_t))               \
    X(int, gnutls_server_name_set, (gnutls_session_t, unsigned, const void *, size_t))             \
    X(void, gnutls_transport_set_push_function, (gnutls_session_t, gnutls_push_func))              \
    X(void, gnutls_transport_set_vec_push_function, (gnutls_session_t, gnutls_vec_push_func))      \
    X(void, gnutls_certificate_set_verify_function,                                                \
      (gnutls_certificate_credentials_t, gnutls_certificate_verify_function *))                    \
    X(void, gnutls_session_set_verify_function,                                                    \
      (gnutls_session_t, gnutls_certificate_verify_function *))                                    \
    X(void, gnutls_session_set_verify_cert, (gnutls_session_t, const char *, unsigned))            \
    X(void, gnutls_session_set_verify_cert2,                                                       \
      (gnutls_session_t, gnutls_typed_vdata_st *, unsigned, unsigned))                             \
    X(int, gnutls_handshake, (gnutls_session_t))                                                   \
    X(ssize_t, gnutls_record_send, (gnutls_session_t, const void *, size_t))                       \
    X(ssize_t, gnutls_record_send_range,                                                           \
      (gnutls_session_t, const void *, size_t, const gnutls_range_st *))                           \
    X(int, gnutls_certificate_verify_peers,                                                        \
      (gnutls_session_t, gnutls_typed_vdata_st *, unsigned, unsigned *))                           \
    X(int, gnutls_certificate_verify_peers2, (gnutls_session_t, unsigned *))                       \
    X(int, gnutls_certificate_verify_peers3, (gnutls_session_t, const char *, unsigned *))         \
    X(unsigned, gnutls_session_get_verify_cert_status, (gnutls_session_t))                         \
    X(const gnutls_datum_t *, gnutls_certificate_get_peers, (gnutls_session_t, unsigned *))        \
    X(time_t, gnutls_certificate_expiration_time_peers, (gnutls_session_t))                        \
    X(time_t, gnutls_certificate_activation_time_peers, (gnutls_session_t))                        \
    X(unsigned, gnutls_x509_crt_check_hostname, (gnutls_x509_crt_t, const char *))                 \
    X(unsigned, gnutls_x509_crt_check_hostname2, (gnutls_x509_crt_t, const char *, unsigned))      \
    X(unsigned, gnutls_x509_crt_check_ip,                                                          \
      (gnutls_x509_crt_t, const unsigned char *, unsigned, unsigned))                              \
    X(int, gnutls_x509_crt_verify,                                                                 \
      (gnutls_x509_crt_t, const gnutls_x509_crt_t *, unsigned, unsigned, unsigned *))              \
    X(int, gnutls_x509_crt_list_verify,                                                            \
      (const gnutls_x509_crt_t *, unsigned, const gnutls_x509_crt_t *, unsigned,                   \
       const gnutls_x509_crl_t *, unsigned, unsigned, unsigned *))                                 \
    X(int, gnutls_x509_trust_list_verify_crt,                                                      \
      (gnutls_x509_trust_list_t, gnutls_x509_crt_t *, unsigned, unsigned, unsigned *,              \
       gnutls_verify_output_function *))                                                           \
    X(int, gnutls_x509_trust_list_verify_crt2,                                                     \
      (gnutls_x509_trust_list_t, gnutls_x509_crt_t *, unsigned, gnutls_typed_vdata_st *, unsigned, \
       unsigned, unsigned *, gnutls_verify_output_function *))                                     \
    X(int, gnutls_x509_trust_list_verify_named_crt,                                                \
      (gnutls_x509_trust_list_t, gnutls_x509_crt_t, const void *, size_t, unsigned, unsigned *,    \
       gnutls_verify_output_function *))                                                           \
    X(time_t, gnutls_x509_crt_get_expiration_time, (gnutls_x509_crt_t))                            \
    X(time_t, gnutls_x509_crt_get_activation_time, (gnutls_x509_crt_t))                            \
    X(const char *, gnutls_strerror, (int))                                                        \
    X(int, gnutls_certificate_verification_status_print,                                           \
      (unsigned, unsigned, gnutls_datum_t *, unsigned))

#define TG_GNUTLS_CALLED(X)                                                                        \
    X(int, gnutls_credentials_get, (gnutls_session_t, unsigned, void **))                          \
    X(void, gnutls_certificate_get_trust_list,                                                     \
      (gnutls_certificate_credentials_t, gnutls_x509_trust_list_t *))                              \
    X(int, gnutls_x509_trust_list_get_issuer_by_dn,                                                \
      (gnutls_x509_trust_list_t, const gnutls_datum_t *, gnutls_x509_crt_t *, unsigned))           \
    X(int, gnutls_x509_trust_list_iter_get_ca,                                                     \
      (gnutls_x509_trust_list_t, gnutls_x509_trust_list_iter_t *, gnutls_x509_crt_t *))            \
    X(int, gnutls_x509_crt_export, (gnutls_x509_crt_t, unsigned, void *, size_t *))                \
    X(void, gnutls_x509_crt_deinit, (gnutls_x509_crt_t))                                           \
    X(unsigned, gnutls_protocol_get_version, (gnutls_session_t))                                   \
    X(void, gnutls_session_get_random, (gnutls_session_t, gnutls_datum_t *, gnutls_datum_t *))     \
    X(void, gnutls_transport_get_ptr2, (gnutls_session_t, void **, void **))                       \
    X(void, gnutls_transport_set_pull_function, (gnutls_session_t, gnutls_pull_func))              \
    X(void, gnutls_transport_set_pull_timeout_function,                                            \
      (gnutls_session_t, gnutls_pull_timeout_func))                                                \
    X(void, gnutls_transport_set_errno_function, (gnutls_session_t, gnutls_errno_func))            \
    X(int, gnutls_ocsp_status_request_get, (gnutls_session_t, gnutls_datum_t *))                   \
    X(int, gnutls_ocsp_status_request_enable_client,                                               \
      (gnutls_session_t, gnutls_datum_t *, size_t, gnutls_datum_t *))                              \
    X(int, gnutls_server_name_get, (gnutls_session_t, void *, size_t *, unsigned *, unsigned))     \
    X(int, gnutls_alert_send, (gnutls_session_t, unsigned, unsigned))                              \
    X(ssize_t, gnutls_record_recv, (gnutls_session_t, void *, size_t))                             \
    X(int, gnutls_idna_map, (const char *, unsigned, gnutls_datum_t *, unsigned))                  \
    X(int, gnutls_error_is_fatal, (int))

/* What came later: interposed, since 3.6.3 to 3.7.3, and called, since 3.7.3. */
#define TG_GNUTLS_INTERPOSED_LATER(X)                                                              \
    X(ssize_t, gnutls_record_send2, (gnutls_session_t, const void *, size_t, size_t, unsigned))    \
    X(size_t, gnutls_record_get_max_early_data_size, (gnutls_session_t))                           \
    X(ssize_t, gnutls_record_send_early_data, (gnutls_session_t, const void *, size_t))            \
    X(void, gnutls_handshake_set_read_function, (gnutls_session_t, gnutls_handshake_read_func))    \
    X(void, gnutls_handshake_set_secret_function,                                                  \
      (gnutls_session_t, gnutls_handshake_secret_func))                                            \
    X(ssize_t, gnutls_record_send_file, (gnutls_session_t, int, off_t *, size_t))
#define TG_GNUTLS_CALLED_LATER(X) X(unsigned, gnutls_transport_is_ktls_enabled, (gnutls_session_t))

#define TG_GNUTLS_DECLARE(result, name, parameters) result name parameters;
TG_GNUTLS_INTERPOSED(TG_GNUTLS_DECLARE)
TG_GNUTLS_INTERPOSED_LATER(TG_GNUTLS_DECLARE)
TG_GNUTLS_CALLED(TG_GNUTLS_DECLARE)
TG_GNUTLS_CALLED_LATER(TG_GNUTLS_DECLARE)
#undef TG_GNUTLS_DECLARE

struct tg_gnutls; /* one libgnutls of the process */

/*
 * What the preload's wrappers call, once their libgnutls is under a policy. What is set by the
 * program is told after it has been set in the library; of a session that isn't known (a server's)
 * nothing is taken.
 */
struct tg_gnutls_hook {
    /* A client session was made with FLAGS. False: no memory, it must not be used. */
    bool (*begin)(const struct tg_gnutls *library, gnutls_session_t session, unsigned flags);
    void (*end)(gnutls_session_t session);
    void (*end_credentials)(gnutls_certificate_credentials_t credentials);

    /* The server name that is sent; the program's own functions to write, of datagrams (QUIC). */
    void (*named)(gnutls_session_t session, const void *name, size_t size);
    void (*pushed)(gnutls_session_t session, bool datagrams);

    /* The program's verification: of credentials, and of a session, where one replaces another.
     * True: it isn't to be set in the library, for the hook's own stands there and calls it. */
    void (*set_credentials_function)(gnutls_certificate_credentials_t credentials,
                                     gnutls_certificate_verify_function *function);
    bool (*set_function)(gnutls_session_t session, gnutls_certificate_verify_function *function);
    void (*set_names)(gnutls_session_t session, const char *host, gnutls_typed_vdata_st *data,
                      unsigned count);

    /* False: nothing is known of the session; else *RESULT is what gnutls_handshake returns. */
    bool (*handshake)(gnutls_session_t session, int *result);
    /* False: no data may go out before the server is known: with the ClientHello; by now. */
    bool (*allows_early)(gnutls_session_t session);
    bool (*allows_data)(gnutls_session_t session);
    /* What is to be set for FUNCTION, which takes the keys for the program to encrypt by itself. */
    gnutls_handshake_secret_func (*secrets)(gnutls_session_t session,
                                            gnutls_handshake_secret_func function);

    /*
     * What the library's own verification of the session came to, with RESULT and *STATUS as the
     * library has them; HOST and DATA (each may be NULL) are the names that were asked for. Returns
     * what the program is to see.
     */
    int (*verified)(gnutls_session_t session, const char *host, const gnutls_typed_vdata_st *data,
                    unsigned count, int result, unsigned *status);
    unsigned (*status)(gnutls_session_t session, unsigned status);
    const gnutls_datum_t *(*peers)(gnutls_session_t session, const gnutls_datum_t *list,
                                   unsigned *count);
    time_t (*session_time)(gnutls_session_t session, time_t time, bool end);

    /*
     * Of a certificate by itself: true if it is one that this process has accepted, for HOST, or
     * for ADDRESS of SIZE bytes; without either, for any host.
     */
    bool (*knows)(const struct tg_gnutls *library, gnutls_x509_crt_t certificate, const char *host,
                  const unsigned char *address, size_t size);
};

/*
 * Puts the libgnutls in which ADDRESS lies under the policy: *LIBRARY and *HOOK, both for ever. As
 * tg_inject_libssl otherwise.
 */
TG_API TG_MUST_USE enum tg_injected tg_inject_gnutls(const void *address,
                                                     const struct tg_gnutls **library,
                                                     const struct tg_gnutls_hook **hook);

#endif
