/*
 * odd.c - odd PKI WAY NAME: a client that does what few do, with its server in the same process.
 *
 *   plain     makes its session without a flag: that is a client's
 *   type      sends the name as one of another type
 *   again     resumes what it had with another host, and goes on after a refusal, with functions of
 *             its own to read and write by
 *   decoy     is sent a certificate that nearly has the name of the leaf's issuer, before that one
 *   namesake  trusts another root of the name that its root has, and that one
 *   false     sends its data before the handshake is over, and looks at the leaf again then
 *   strange   trusts another root alone, and doesn't verify
 *   reasons   asks for the library's words for what came of it
 */
#include "serve.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *pki, *way;
static int port, descriptor;
static gnutls_datum_t kept;

static bool is(const char *word)
{
    return strcmp(way, word) == 0;
}

static ssize_t push(gnutls_transport_ptr_t at, const void *data, size_t size)
{
    return send(*(int *)at, data, size, MSG_NOSIGNAL);
}

static ssize_t pull(gnutls_transport_ptr_t at, void *data, size_t size)
{
    return recv(*(int *)at, data, size, 0);
}

static gnutls_certificate_credentials_t credentials_of(void)
{
    gnutls_certificate_credentials_t credentials = NULL;
    gnutls_x509_crt_t other = NULL;
    char path[4096];

    gnutls_certificate_allocate_credentials(&credentials);
    if (is("namesake")) {
        other = serve_namesake(pki, "root", false);
        gnutls_certificate_set_x509_trust(credentials, &other, 1);
    }
    snprintf(path, sizeof(path), "%s/%sroot.pem", pki, is("strange") ? "other-" : "");
    gnutls_certificate_set_x509_trust_file(credentials, path, GNUTLS_X509_FMT_PEM);
    return credentials;
}

static gnutls_session_t session_of(const char *name)
{
    gnutls_session_t session = NULL;

    if (gnutls_init(&session, (is("plain") ? 0 : GNUTLS_CLIENT) |
                                  (is("false") ? GNUTLS_ENABLE_FALSE_START : 0)) < 0 ||
        gnutls_set_default_priority(session) < 0)
        exit(2);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials_of());
    gnutls_server_name_set(session, is("type") ? 7 : GNUTLS_NAME_DNS, name, strlen(name));
    if (is("decoy") || is("namesake") || is("reasons"))
        gnutls_session_set_verify_cert(session, name, 0);
    gnutls_transport_set_int(session, descriptor);
    gnutls_handshake_set_timeout(session, 60000);
    if (kept.data != NULL)
        gnutls_session_set_data(session, kept.data, kept.size);
    return session;
}

/* Whether the library's words for RESULT name the policy. */
static const char *word_for(int result)
{
    return strstr(gnutls_strerror(result), "trustgraft: refused by ") != NULL ? "named" : "plain";
}

/* The same of its words for STATUS, which the program frees. */
static const char *word_for_status(unsigned status)
{
    gnutls_datum_t words = {NULL, 0};
    const char *word = "plain";

    if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &words, 0) != 0 ||
        strlen((const char *)words.data) != words.size)
        exit(2);
    if (strstr((const char *)words.data, "trustgraft: refused by ") != NULL)
        word = "named";
    gnutls_free(words.data);
    return word;
}

static void tell_reasons(gnutls_session_t session, int result)
{
    unsigned status = gnutls_session_get_verify_cert_status(session), bad = GNUTLS_CERT_INVALID;

    printf(" %s, of others %s", word_for(result), word_for(GNUTLS_E_CERTIFICATE_ERROR));
    printf(", status %s", word_for_status(status | bad));
    if (status == 0)
        return;
    printf(" %s", word_for_status(status));
    (void)gnutls_session_get_verify_cert_status(session);
    printf(" %s", word_for_status(status | GNUTLS_CERT_REVOKED));
    printf(" %s", word_for_status(status));
}

static void converse(const char *name)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)},
                             .sin_port = htons((uint16_t)port)};
    gnutls_session_t session;
    const gnutls_datum_t *peers;
    unsigned count = 0;
    unsigned char leaf[10000] = "";
    char data[100];
    ssize_t got;
    int result;

    descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(descriptor, (struct sockaddr *)&to, sizeof(to)) != 0)
        exit(2);
    session = session_of(name);
    do
        result = gnutls_handshake(session);
    while (result < 0 && !gnutls_error_is_fatal(result));
    printf(" handshake %s", result == 0 ? "done" : "refused");
    if (is("reasons"))
        tell_reasons(session, result);
    peers = gnutls_certificate_get_peers(session, &count);
    if (count > 0 && peers[0].size <= sizeof(leaf))
        memcpy(leaf, peers[0].data, peers[0].size);
    if (is("again")) {
        gnutls_transport_set_ptr(session, &descriptor);
        gnutls_transport_set_push_function(session, push);
        gnutls_transport_set_pull_function(session, pull);
    }
    if (result == 0 || is("again")) {
        got = gnutls_record_send(session, "word", 4);
        printf(" %s", got == 4 ? "sent" : "not sent");
        do
            got = gnutls_record_recv(session, data, sizeof(data));
        while (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED);
        printf(" data %.*s", got > 0 ? (int)got : 4, got > 0 ? data : "none");
    }
    if (result == 0 && is("false"))
        printf(" leaf %s", memcmp(leaf, peers[0].data, peers[0].size) == 0 ? "there" : "gone");
    if (result == 0 && is("again"))
        gnutls_session_get_data2(session, &kept);
    gnutls_deinit(session);
    close(descriptor);
}

int main(int argc, char **argv)
{
    static struct serve server = {.leaf = "api", .priority = "NORMAL", .connections = 2};

    if (argc < 4)
        return 2;
    pki = server.pki = argv[1];
    way = argv[2];
    server.decoy = is("decoy") || is("strange");
    if (is("again"))
        gnutls_session_ticket_key_generate(&server.tickets);
    if (is("false"))
        server.priority = "NORMAL:-VERS-TLS1.3";
    port = serve(&server);
    if (is("again"))
        converse("nowhere.test");
    converse(argv[3]);
    if (is("reasons"))
        converse("nowhere.test");
    printf("\n");
    fflush(stdout);
    _exit(0); /* the library's own end doesn't wait for the server's thread */
}
