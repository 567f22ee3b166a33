/*
 * ahead.c - ahead PKI WAY NAME: a client with data that is ahead of the verdict, with its server in
 * the same process. What it resumes it had with another host.
 *
 *   named     hands over what goes out with the ClientHello, and then says whom it is for
 *   asks      does so if there is room for it, having said whom it is for
 *   send send2 range file    sends, by either function, while the handshake waits
 *   keys      takes the keys of a session it resumes, to encrypt by itself; what level they are for
 *   late stale timed         verifies NAME once the handshake is done, and goes on with functions
 * of its own: with an errno that stays at EAGAIN; with datagrams, and a limit to its waiting
 */
#include "serve.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/dtls.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *pki, *way, *host;
static int port, descriptor;
static gnutls_datum_t kept;

static bool is(const char *word)
{
    return strcmp(way, word) == 0;
}

static bool is_late(void)
{
    return is("late") || is("stale") || is("timed");
}

/* For the server, in its second handshake. */
static bool waits(void)
{
    return kept.data != NULL && !is("named") && !is("asks") && !is("keys");
}

static ssize_t push(gnutls_transport_ptr_t at, const void *data, size_t size)
{
    return send(*(int *)at, data, size, MSG_NOSIGNAL);
}

/* Every second time nothing has come yet, where the handshake is to wait. */
static ssize_t pull(gnutls_transport_ptr_t at, void *data, size_t size)
{
    static unsigned calls;

    if (waits() && calls++ % 2 == 0) {
        errno = EAGAIN;
        return -1;
    }
    return recv(*(int *)at, data, size, 0);
}

static int wait_for(gnutls_transport_ptr_t at, unsigned wait)
{
    struct pollfd ready = {.fd = *(int *)at, .events = POLLIN};

    return poll(&ready, 1, (int)wait);
}

static int stale(gnutls_transport_ptr_t at)
{
    (void)at;
    return EAGAIN;
}

static int take_keys(gnutls_session_t session, gnutls_record_encryption_level_t level,
                     const void *read, const void *write, size_t size)
{
    (void)session, (void)size;
    if (kept.data != NULL)
        printf(" %d%s%s", level, read != NULL ? "r" : "", write != NULL ? "w" : "");
    return 0;
}

static void set_functions(gnutls_session_t session)
{
    gnutls_transport_set_ptr(session, &descriptor);
    gnutls_transport_set_push_function(session, push);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_pull_timeout_function(session, wait_for);
    if (is("stale"))
        gnutls_transport_set_errno_function(session, stale);
}

static gnutls_session_t session_of(const char *name)
{
    gnutls_session_t session = NULL;
    gnutls_certificate_credentials_t credentials = NULL;
    unsigned flags = GNUTLS_CLIENT | (is("timed") ? GNUTLS_DATAGRAM : 0) |
                     (is("named") || is("asks") || is_late() ? 0 : GNUTLS_ENABLE_EARLY_DATA) |
                     (waits() ? GNUTLS_NONBLOCK : 0);

    if (gnutls_init(&session, flags) < 0 || gnutls_set_default_priority(session) < 0 ||
        gnutls_certificate_allocate_credentials(&credentials) < 0)
        exit(2);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(session, descriptor);
    if (is_late() || waits())
        set_functions(session);
    if (!waits())
        gnutls_handshake_set_timeout(session, 60000);
    if (is("timed"))
        gnutls_record_set_timeout(session, 200);
    if (is("keys"))
        gnutls_handshake_set_secret_function(session, take_keys);
    if (kept.data != NULL)
        gnutls_session_set_data(session, kept.data, kept.size);
    if (kept.data != NULL && is("named"))
        printf(" %s", gnutls_record_send_early_data(session, "early", 5) == 0 ? "taken" : "not");
    gnutls_server_name_set(session, GNUTLS_NAME_DNS, name, strlen(name));
    if (kept.data != NULL && is("asks") && gnutls_record_get_max_early_data_size(session) > 0)
        printf(" %s", gnutls_record_send_early_data(session, "early", 5) == 0 ? "taken" : "not");
    return session;
}

/* By the function that is asked for. */
static ssize_t send_by(gnutls_session_t session, const char *function)
{
    const gnutls_range_st range = {5, 50};
    int file;

    if (strcmp(function, "send2") == 0)
        return gnutls_record_send2(session, "early", 5, 0, 0);
    if (strcmp(function, "range") == 0)
        return gnutls_record_send_range(session, "early", 5, &range);
    if (strcmp(function, "file") != 0)
        return gnutls_record_send(session, "early", 5);
    file = open(pki, O_TMPFILE | O_RDWR, 0600);
    if (write(file, "early", 5) != 5 || lseek(file, 0, SEEK_SET) != 0)
        exit(2);
    return gnutls_record_send_file(session, file, NULL, 5);
}

static int shake(gnutls_session_t session)
{
    bool sent = false;
    int result;

    do {
        result = gnutls_handshake(session);
        if (result == GNUTLS_E_AGAIN && waits() && !sent)
            sent = send_by(session, way) == 5;
    } while (result < 0 && !gnutls_error_is_fatal(result));
    if (waits())
        printf(" %s", sent ? "sent" : "not");
    return result;
}

/* Behind the answer, for the ticket comes before it: by itself GnuTLS waits some 60 ms for one. */
static void keep(gnutls_session_t session)
{
    char data[100];
    ssize_t got;

    do
        got = gnutls_record_recv(session, data, sizeof(data));
    while (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED);
    if (got > 0)
        (void)gnutls_session_get_data2(session, &kept);
}

static void converse(const char *name)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)},
                             .sin_port = htons((uint16_t)port)};
    gnutls_session_t session;
    unsigned status = 0;
    int result;

    descriptor = socket(AF_INET, is("timed") ? SOCK_DGRAM : SOCK_STREAM, 0);
    if (connect(descriptor, (struct sockaddr *)&to, sizeof(to)) != 0)
        exit(2);
    session = session_of(name);
    result = shake(session);
    printf(" %s", result == 0 ? "done" : "refused");
    if (is_late()) {
        (void)gnutls_certificate_verify_peers3(session, host, &status);
        set_functions(session);
    }
    if (kept.data == NULL)
        printf(" %s", gnutls_record_send(session, "word", 4) == 4 ? "sent" : "not");
    if (kept.data == NULL && !is_late())
        keep(session);
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
    host = argv[3];
    server.datagrams = is("timed");
    server.early = !is_late();
    if (!is_late())
        gnutls_session_ticket_key_generate(&server.tickets);
    port = serve(&server);
    converse("nowhere.test");
    if (!is_late())
        converse(host);
    printf("\n");
    fflush(stdout);
    _exit(0); /* the library's own end doesn't wait for the server's thread */
}
