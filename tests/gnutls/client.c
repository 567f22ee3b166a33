/*
 * client.c - client PKI WORD...: a client of GnuTLS, and its server in the same process. The words
 * say what either does; the line that is printed tells what came of each step.
 *   leaf=NAME priority=TEXT staple=NAME again=NAME dtls raw psk tickets early    the server
 *   dial=NAME          looked up before it connects; else the address is used
 *   sni=NAME           what it sends
 *   trust=NAME         the certificate that its credentials trust
 *   crl=NAME           the CRL that goes with it
 *   verify=NAME data=NAME address=ADDRESS    has the session verify that name, by either function
 *   function=ANSWER credentials=ANSWER       a callback of its own; ANSWER: yes, no, hand, wait
 *   replace=WHAT       sets a function that says yes or no, or names, once the server has said
 *                      hello
 *   push               writes by functions of its own, which are given the place in a table; a
 *                      descriptor of this number is connected elsewhere
 *   vec                the same, given a pointer
 *   hand=NAME          asks gnutls_certificate_verify_peers3 afterwards
 *   crt=NAME           takes the leaf, and verifies chain, name and dates of it by hand
 *   purpose=OID        the same, for that purpose, with no anchor
 *   listed=NAME        looks for that name in the leaf, as a program that matches names itself does
 *   twice=NAME         a second connection resumes the session, sending NAME
 *   then=NAME          which that one looks up
 *   second=NAME        a second connection that resumes nothing
 *   swap=FROM,TO       then moves a file, and connects until something else comes of it
 *   unseen             makes its sessions by a function that it has found for itself
 *   threads=N fork     does it in N threads at once; in a child
 *   ignore stay        goes on after a refusal; returns to its caller
 */
#include "client.h"
#include "serve.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <gnutls/dtls.h>
#include <gnutls/x509.h>
#ifdef WITH_OPENSSL
#include <openssl/ssl.h>
#endif
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char **words;
static const char *pki;
static int port;
static atomic_int called; /* how often a callback of its own was asked, in all threads */
static gnutls_datum_t kept;

const char *client_word(const char *name)
{
    size_t length = strlen(name);

    for (char **at = words; *at != NULL; at++)
        if (strncmp(*at, name, length) == 0 && ((*at)[length] == '=' || (*at)[length] == '\0'))
            return (*at)[length] == '=' ? *at + length + 1 : *at;
    return NULL;
}

void client_path_of(char out[4096], const char *name, const char *ending)
{
    snprintf(out, 4096, "%s/%s%s", pki, name, ending);
}

/* ---- what it verifies with ---- */

static int answer(gnutls_session_t session, const char *how)
{
    unsigned status = 0;

    if (strcmp(how, "wait") == 0)
        return called++ < 2 ? GNUTLS_E_AGAIN : 0;
    called++;
    if (strcmp(how, "hand") != 0)
        return strcmp(how, "yes") == 0 ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
    if (gnutls_certificate_verify_peers3(session, client_word("hand"), &status) < 0)
        return GNUTLS_E_CERTIFICATE_ERROR;
    return status == 0 ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static int by_session(gnutls_session_t session)
{
    return answer(session, client_word("function"));
}

static int by_credentials(gnutls_session_t session)
{
    return answer(session, client_word("credentials"));
}

static int say_yes(gnutls_session_t session)
{
    (void)session;
    return 0;
}

static int say_no(gnutls_session_t session)
{
    (void)session;
    return GNUTLS_E_CERTIFICATE_ERROR;
}

static int replace(gnutls_session_t session, unsigned message, unsigned after, unsigned incoming,
                   const gnutls_datum_t *data)
{
    (void)message, (void)after, (void)incoming, (void)data;
    if (strcmp(client_word("replace"), "names") == 0)
        gnutls_session_set_verify_cert(session, client_word("sni"), 0);
    else
        gnutls_session_set_verify_function(
            session, strcmp(client_word("replace"), "no") == 0 ? say_no : say_yes);
    return 0;
}

static gnutls_certificate_credentials_t credentials_of(void)
{
    gnutls_certificate_credentials_t credentials = NULL;
    char path[4096];

    gnutls_certificate_allocate_credentials(&credentials);
    if (client_word("trust") != NULL) {
        client_path_of(path, client_word("trust"), ".pem");
        gnutls_certificate_set_x509_trust_file(credentials, path, GNUTLS_X509_FMT_PEM);
    }
    if (client_word("crl") != NULL) {
        client_path_of(path, client_word("crl"), ".crl");
        if (gnutls_certificate_set_x509_crl_file(credentials, path, GNUTLS_X509_FMT_PEM) < 1)
            exit(2);
    }
    if (client_word("credentials") != NULL)
        gnutls_certificate_set_verify_function(credentials, by_credentials);
    return credentials;
}

static void set_verification(gnutls_session_t session)
{
    static __thread gnutls_typed_vdata_st data;
    static __thread struct in_addr address;

    if (client_word("verify") != NULL)
        gnutls_session_set_verify_cert(session, client_word("verify"), 0);
    if (client_word("data") != NULL)
        data = (gnutls_typed_vdata_st){GNUTLS_DT_DNS_HOSTNAME, (void *)client_word("data"), 0};
    if (client_word("address") != NULL && inet_pton(AF_INET, client_word("address"), &address) == 1)
        data = (gnutls_typed_vdata_st){GNUTLS_DT_IP_ADDRESS, (void *)&address, 4};
    if (data.data != NULL)
        gnutls_session_set_verify_cert2(session, &data, 1, 0);
    if (client_word("replace") != NULL)
        gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_SERVER_HELLO, GNUTLS_HOOK_POST,
                                           replace);
    if (client_word("function") != NULL)
        gnutls_session_set_verify_function(session, by_session);
}

/* ---- one connection ---- */

static int dial(const char *name)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct addrinfo hints = {.ai_family = AF_INET}, *found = NULL;
    int descriptor = socket(AF_INET, client_word("dtls") != NULL ? SOCK_DGRAM : SOCK_STREAM, 0);

    if (name != NULL && getaddrinfo(name, NULL, &hints, &found) == 0) {
        memcpy(&to, found->ai_addr, sizeof(to));
        freeaddrinfo(found);
    }
    to.sin_port = htons((uint16_t)port);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&to, sizeof(to)) != 0)
        exit(2);
    return descriptor;
}

static __typeof__(&gnutls_init) init(void)
{
    void *library = dlopen("libgnutls.so.30", RTLD_NOLOAD | RTLD_LAZY);

    return client_word("unseen") != NULL && library != NULL
               ? (__typeof__(&gnutls_init))dlsym(library, "gnutls_init")
               : gnutls_init;
}

static gnutls_session_t session_of(const char *name, int descriptor)
{
    unsigned flags = GNUTLS_CLIENT;
    gnutls_session_t session = NULL;
    gnutls_psk_client_credentials_t keys = NULL;
    gnutls_datum_t key = {(unsigned char *)"01020304", 8};
    const char *priority = client_word("priority") != NULL ? client_word("priority") : "NORMAL";

    flags |= client_word("dtls") != NULL ? GNUTLS_DATAGRAM : 0;
    flags |= client_word("raw") != NULL ? GNUTLS_ENABLE_RAWPK : 0;
    flags |= client_word("early") != NULL ? GNUTLS_ENABLE_EARLY_DATA : 0;
    flags |= client_word("again") != NULL ? GNUTLS_ALLOW_ID_CHANGE : 0;
    if (init()(&session, flags) < 0)
        return NULL;
    if (gnutls_priority_set_direct(session, priority, NULL) < 0)
        exit(2);
    if (client_word("psk") != NULL) {
        gnutls_psk_allocate_client_credentials(&keys);
        gnutls_psk_set_client_credentials(keys, "me", &key, GNUTLS_PSK_KEY_HEX);
        gnutls_credentials_set(session, GNUTLS_CRD_PSK, keys);
    }
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials_of());
    if (name != NULL)
        gnutls_server_name_set(session, GNUTLS_NAME_DNS, name, strlen(name));
    set_verification(session);
    client_set_transport(session, descriptor);
    gnutls_handshake_set_timeout(session, 60000);
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

static void talk(gnutls_session_t session, FILE *out)
{
    char data[100];
    ssize_t got = gnutls_record_send(session, "word", 4);

    if (got > 0)
        do
            got = gnutls_record_recv(session, data, sizeof(data));
        while (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED);
    if (got == GNUTLS_E_REHANDSHAKE) {
        fprintf(out, " again %d", shake(session));
        got = gnutls_record_recv(session, data, sizeof(data));
    }
    fprintf(out, " data %.*s", got > 0 ? (int)got : 4, got > 0 ? data : "none");
}

static void converse(const char *name, FILE *out)
{
    int descriptor = dial(client_word(kept.data != NULL ? "then" : "dial")), result;
    gnutls_session_t session = session_of(name, descriptor);
    unsigned status = 0;

    if (session == NULL) {
        fprintf(out, " no session");
        close(descriptor);
        return;
    }
    if (kept.data != NULL)
        gnutls_session_set_data(session, kept.data, kept.size);
    if (kept.data != NULL && client_word("early") != NULL)
        fprintf(out, " early %s",
                gnutls_record_send_early_data(session, "early words", 11) == 0 ? "sent"
                                                                               : "refused");
    result = shake(session);
    fprintf(out, " handshake %s", result == 0 ? "done" : "refused");
    if (result < 0)
        gnutls_alert_send_appropriate(session, result);
    if (result == 0 && kept.data != NULL)
        fprintf(out, " resumed %d", gnutls_session_is_resumed(session));
    if (client_word("verify") != NULL)
        fprintf(out, " status %s",
                gnutls_session_get_verify_cert_status(session) == 0 ? "good" : "bad");
    if (client_word("hand") != NULL && result == 0)
        fprintf(out, " hand %s",
                gnutls_certificate_verify_peers3(session, client_word("hand"), &status) == 0 &&
                        status == 0
                    ? "good"
                    : "bad");
    if (client_word("crt") != NULL && result == 0)
        client_verify_by_hand(session, out);
    if (client_word("purpose") != NULL && result == 0)
        client_verify_for_purpose(session, out);
    if (client_word("listed") != NULL && result == 0)
        client_look_for_name(session, out);
    if (result == 0 || client_word("ignore") != NULL)
        talk(session, out);
    if (client_word("twice") != NULL && kept.data == NULL && result == 0)
        gnutls_session_get_data2(session, &kept);
    gnutls_deinit(session);
    close(descriptor);
}

static void *converse_apart(void *arg)
{
    char **line = arg;
    size_t size;
    FILE *out = open_memstream(line, &size);

    converse(client_word("sni"), out);
    fclose(out);
    return NULL;
}

static void converse_at_once(int count)
{
    pthread_t threads[32];
    char *lines[32] = {NULL};
    bool same = true;

    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, converse_apart, &lines[i]);
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        same = same && strcmp(lines[0], lines[i]) == 0;
    }
    printf("%s%s", lines[0], same ? "" : " not the same in all threads");
}

static void swap_and_wait(const char *files)
{
    char *from = strdup(files), *to = strchr(from, ','), *first = NULL, *line = NULL;
    const struct timespec moment = {.tv_nsec = 50000000};

    *to++ = '\0';
    (void)converse_apart(&first);
    if (rename(from, to) != 0)
        exit(2);
    for (int i = 0; i < 1200 && (line == NULL || strcmp(line, first) == 0); i++) {
        free(line);
        nanosleep(&moment, NULL);
        (void)converse_apart(&line);
    }
    printf("%s", line != NULL ? line : " never");
    free(line);
    free(first);
    free(from);
}

/* In a program of OpenSSL as well. */
static void use_openssl(void)
{
#ifdef WITH_OPENSSL
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context == NULL)
        printf(" no SSL_CTX");
    SSL_CTX_free(context);
#endif
}

int main(int argc, char **argv)
{
    static struct serve server = {.connections = 2000};

    if (argc < 2)
        return 2;
    pki = argv[1];
    words = argv + 2;
    use_openssl();
    server.pki = pki;
    server.leaf = client_word("leaf") != NULL ? client_word("leaf") : "api";
    server.priority = client_word("priority") != NULL ? client_word("priority") : "NORMAL";
    server.staple = client_word("staple");
    server.again = client_word("again");
    server.datagrams = client_word("dtls") != NULL;
    server.raw = client_word("raw") != NULL;
    server.psk = client_word("psk") != NULL;
    server.early = client_word("early") != NULL;
    if (client_word("twice") != NULL)
        gnutls_session_ticket_key_generate(&server.tickets);
    port = serve(&server);
    if (client_word("fork") != NULL) {
        int status = 0;

        fflush(stdout);
        if (fork() != 0)
            _exit(wait(&status) > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 2);
    }
    if (client_word("threads") != NULL)
        converse_at_once((int)strtol(client_word("threads"), NULL, 10));
    else
        converse(client_word("sni"), stdout);
    if (client_word("twice") != NULL)
        converse(strcmp(client_word("twice"), "twice") != 0 ? client_word("twice") : NULL, stdout);
    if (client_word("swap") != NULL)
        swap_and_wait(client_word("swap"));
    if (client_word("second") != NULL)
        converse(client_word("second"), stdout);
    if (client_word("function") != NULL || client_word("credentials") != NULL)
        printf(" called %d", called);
    if (client_word("early") != NULL)
        printf(" server got %d", serve_got);
    printf("\n");
    fflush(stdout);
    if (client_word("stay") != NULL)
        return 0;
    _exit(0); /* the library's own end doesn't wait for the server's thread */
}
