#include "serve.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <gnutls/abstract.h>
#include <gnutls/dtls.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

atomic_int serve_got;

static int listener;

static void must(int result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "server: %s: %s\n", what, gnutls_strerror(result));
    exit(2);
}

static char *place(const char *pki, const char *name, const char *ending)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s%s", pki, name, ending) < 0)
        exit(2);
    return path;
}

static int give_staple(gnutls_session_t session, void *path, gnutls_datum_t *answer)
{
    (void)session;
    return gnutls_load_file(path, answer) < 0 ? GNUTLS_E_NO_CERTIFICATE_STATUS : 0;
}

static gnutls_x509_crt_t read_certificate(const char *pki, const char *name)
{
    gnutls_x509_crt_t certificate = NULL;
    gnutls_datum_t file;

    must(gnutls_load_file(place(pki, name, ".pem"), &file), name);
    must(gnutls_x509_crt_init(&certificate), name);
    must(gnutls_x509_crt_import(certificate, &file, GNUTLS_X509_FMT_PEM), name);
    return certificate;
}

gnutls_x509_crt_t serve_namesake(const char *pki, const char *name, bool capitals)
{
    gnutls_x509_crt_t like = read_certificate(pki, name), made = NULL;
    gnutls_x509_privkey_t key = NULL;
    gnutls_datum_t der;
    char text[1000];
    size_t size = sizeof(text);

    must(gnutls_x509_crt_export2(like, GNUTLS_X509_FMT_DER, &der), name);
    must(gnutls_x509_crt_get_dn_by_oid(like, GNUTLS_OID_X520_COMMON_NAME, 0, 0, text, &size), name);
    for (unsigned i = 0; capitals && i + size <= der.size; i++)
        if (memcmp(der.data + i, text, size) == 0)
            for (size_t j = 0; j < size; j++)
                der.data[i + j] = (unsigned char)toupper(text[j]);
    must(gnutls_x509_privkey_init(&key), "key");
    must(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
         "key");
    must(gnutls_x509_crt_init(&made), "namesake");
    must(gnutls_x509_crt_import(made, &der, GNUTLS_X509_FMT_DER), "namesake");
    must(gnutls_x509_crt_set_key(made, key), "key");
    must(gnutls_x509_crt_sign2(made, made, key, GNUTLS_DIG_SHA256, 0), "signature");
    return made;
}

/* As a list of this kind, for GnuTLS sorts others. */
static void set_decoy(const struct serve *what, const char *key_file,
                      gnutls_certificate_credentials_t credentials)
{
    gnutls_x509_crt_t list[] = {read_certificate(what->pki, what->leaf),
                                serve_namesake(what->pki, "intermediate", true),
                                read_certificate(what->pki, "intermediate")};
    gnutls_pcert_st *sent = gnutls_calloc(3, sizeof(*sent));
    gnutls_privkey_t key = NULL;
    gnutls_datum_t file;

    for (int i = 0; i < 3; i++)
        must(gnutls_pcert_import_x509(&sent[i], list[i], 0), "decoy");
    must(gnutls_load_file(key_file, &file), key_file);
    must(gnutls_privkey_init(&key), "key");
    must(gnutls_privkey_import_x509_raw(key, &file, GNUTLS_X509_FMT_PEM, NULL, 0), "key");
    must(gnutls_certificate_set_key(credentials, NULL, 0, sent, 3, key), "decoy");
}

static gnutls_certificate_credentials_t identity(const struct serve *what, const char *leaf)
{
    gnutls_certificate_credentials_t credentials = NULL;
    char *chain = place(what->pki, leaf, ".chain.pem"), *key = place(what->pki, leaf, ".key");
    gnutls_datum_t file;

    must(gnutls_certificate_allocate_credentials(&credentials), "credentials");
    if (what->raw) {
        gnutls_pubkey_t public = NULL;
        gnutls_privkey_t private = NULL;
        gnutls_datum_t spki, secret;

        must(gnutls_load_file(key, &file), key);
        must(gnutls_privkey_init(&private), "key");
        must(gnutls_privkey_import_x509_raw(private, &file, GNUTLS_X509_FMT_PEM, NULL, 0), "key");
        must(gnutls_pubkey_init(&public), "public key");
        must(gnutls_pubkey_import_privkey(public, private, 0, 0), "public key");
        must(gnutls_pubkey_export2(public, GNUTLS_X509_FMT_PEM, &spki), "public key");
        secret = file;
        must(gnutls_certificate_set_rawpk_key_mem(credentials, &spki, &secret, GNUTLS_X509_FMT_PEM,
                                                  NULL, 0, NULL, 0, 0),
             "raw key");
    } else if (what->decoy) {
        set_decoy(what, key, credentials);
    } else {
        must(gnutls_certificate_set_x509_key_file(credentials, chain, key, GNUTLS_X509_FMT_PEM),
             chain);
    }
    if (what->staple != NULL)
        gnutls_certificate_set_ocsp_status_request_function(
            credentials, give_staple, place(what->pki, what->staple, ".ocsp"));
    return credentials;
}

static int give_key(gnutls_session_t session, const char *user, gnutls_datum_t *key)
{
    (void)session, (void)user;
    key->data = gnutls_malloc(4);
    key->size = 4;
    memcpy(key->data, "\1\2\3\4", 4);
    return 0;
}

static int never_seen(void *arg, time_t expires, const gnutls_datum_t *key,
                      const gnutls_datum_t *data)
{
    (void)arg, (void)expires, (void)key, (void)data;
    return 0;
}

static gnutls_session_t session_of(struct serve *what)
{
    unsigned flags = GNUTLS_SERVER;
    gnutls_session_t session = NULL;
    gnutls_psk_server_credentials_t keys = NULL;
    static gnutls_anti_replay_t replay; /* older than each ticket */

    flags |= what->datagrams ? GNUTLS_DATAGRAM : 0;
    flags |= what->raw ? GNUTLS_ENABLE_RAWPK : 0;
    flags |= what->early ? GNUTLS_ENABLE_EARLY_DATA : 0;
    must(gnutls_init(&session, flags), "init");
    must(gnutls_priority_set_direct(session, what->priority, NULL), what->priority);
    if (what->psk) {
        must(gnutls_psk_allocate_server_credentials(&keys), "psk");
        gnutls_psk_set_server_credentials_function(keys, give_key);
        must(gnutls_credentials_set(session, GNUTLS_CRD_PSK, keys), "psk");
    }
    must(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, identity(what, what->leaf)),
         "credentials");
    if (what->tickets.size > 0)
        must(gnutls_session_ticket_enable_server(session, &what->tickets), "tickets");
    if (what->early) {
        if (replay == NULL)
            must(gnutls_anti_replay_init(&replay), "anti-replay");
        gnutls_anti_replay_set_add_function(replay, never_seen);
        gnutls_anti_replay_enable(session, replay);
        (void)gnutls_record_set_max_early_data_size(session, 4096);
    }
    return session;
}

static int shake(gnutls_session_t session)
{
    int result;

    do
        result = gnutls_handshake(session);
    while (result < 0 && !gnutls_error_is_fatal(result));
    return result;
}

static void converse(struct serve *what, gnutls_session_t session)
{
    char data[1000];
    ssize_t got;

    if (shake(session) < 0)
        return;
    got = what->early ? gnutls_record_recv_early_data(session, data, sizeof(data)) : 0;
    if (got > 0)
        serve_got += (int)got;
    got = gnutls_record_recv(session, data, sizeof(data));
    if (got <= 0)
        return;
    serve_got += (int)got;
    if (what->again != NULL) {
        must(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, identity(what, what->again)),
             "credentials");
        if (gnutls_rehandshake(session) < 0 || shake(session) < 0)
            return;
    }
    if (gnutls_record_send(session, "hello", 5) == 5)
        (void)gnutls_record_recv(session, data, sizeof(data));
}

static int connection_of(const struct serve *what)
{
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    char first;

    if (!what->datagrams)
        return accept(listener, NULL, NULL);
    if (recvfrom(listener, &first, 1, MSG_PEEK, (struct sockaddr *)&from, &size) < 0 ||
        connect(listener, (struct sockaddr *)&from, size) != 0)
        return -1;
    return listener;
}

static void *run(void *arg)
{
    struct serve *what = arg;

    for (int i = 0; i < what->connections; i++) {
        int descriptor = connection_of(what);
        gnutls_session_t session = session_of(what);

        gnutls_transport_set_int(session, descriptor);
        gnutls_handshake_set_timeout(session, 60000);
        converse(what, session);
        gnutls_deinit(session);
        if (descriptor >= 0)
            close(descriptor);
    }
    return NULL;
}

int serve(struct serve *what)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(here);
    pthread_t thread;

    listener = socket(AF_INET, what->datagrams ? SOCK_DGRAM : SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&here, size) != 0 ||
        (!what->datagrams && listen(listener, 64) != 0) ||
        getsockname(listener, (struct sockaddr *)&here, &size) != 0 ||
        pthread_create(&thread, NULL, run, what) != 0)
        exit(2);
    pthread_detach(thread);
    return ntohs(here.sin_port);
}
