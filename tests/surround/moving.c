/*
 * moving.c - a client that verifies nothing and carries its connection elsewhere before the answer:
 * moving HOW FROM TO [NAME]. FROM and TO are ports of 127.0.0.1, NAME is the one that it sends.
 * Prints "through", "refused" for its certificate, or "ended".
 */
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in at(const char *port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((unsigned short)strtol(port, NULL, 10))};
}

static int dial(int type, const char *port)
{
    struct sockaddr_in address = at(port);
    int plain = socket(AF_INET, type, 0);

    if (connect(plain, (struct sockaddr *)&address, sizeof(address)) != 0)
        exit(2);
    return plain;
}

static int finish(SSL *ssl)
{
    int done = SSL_connect(ssl), reason = ERR_GET_REASON(ERR_peek_last_error());

    if (done == 1)
        (void)puts("through");
    else
        (void)puts(reason == SSL_R_CERTIFICATE_VERIFY_FAILED ? "refused" : "ended");
    return 0;
}

/* The first one can't be written to, and the other gets the same ClientHello. */
static int fail_over(SSL *ssl, const char *from, const char *to)
{
    int first = dial(SOCK_STREAM, from);

    (void)shutdown(first, SHUT_WR);
    (void)SSL_set_fd(ssl, first);
    if (SSL_connect(ssl) > 0 || errno != EPIPE)
        return 2;
    ERR_clear_error();
    (void)SSL_set_fd(ssl, dial(SOCK_STREAM, to));
    return finish(ssl);
}

static bool waiting = true;

static long wait_first(BIO *bio, int operation, const char *data, size_t length, int argument,
                       long more, int returned, size_t *done)
{
    (void)data, (void)length, (void)argument, (void)more, (void)done;
    if (operation != BIO_CB_READ || !waiting)
        return returned;
    BIO_set_retry_read(bio);
    return -1;
}

/* The answer is looked at once the server is gone. */
static int look_late(SSL *ssl, const char *from)
{
    struct pollfd gone = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    struct sockaddr_in address = at(from);

    (void)connect(gone.fd, (struct sockaddr *)&address, sizeof(address));
    gone.events = POLLOUT;
    (void)poll(&gone, 1, -1);
    (void)SSL_set_fd(ssl, gone.fd);
    BIO_set_callback_ex(SSL_get_rbio(ssl), wait_first);
    (void)SSL_connect(ssl);
    waiting = false;
    gone.events = 0;
    while (!(gone.revents & (POLLHUP | POLLERR)))
        (void)poll(&gone, 1, -1);
    return finish(ssl);
}

/* The first ClientHello is lost soon, the others take their time. */
static unsigned lose(SSL *ssl, unsigned before)
{
    (void)ssl;
    return before == 0 ? 10000 : 1000000;
}

static void set_peer(BIO *bio, const char *port, int command)
{
    struct sockaddr_in to = at(port);
    BIO_ADDR *address = BIO_ADDR_new();

    (void)BIO_ADDR_rawmake(address, AF_INET, &to.sin_addr, sizeof(to.sin_addr), to.sin_port);
    (void)BIO_ctrl(bio, command, 0, address);
    BIO_ADDR_free(address);
}

/* Elsewhere by "connect"ing anew, by a "dup"licate of another socket, or by the BIO's "peer". */
static void carry(const char *how, int plain, BIO *bio, const char *to)
{
    struct sockaddr_in address = at(to);
    int other = strcmp(how, "dup") == 0 ? dial(SOCK_DGRAM, to) : -1;

    if (strcmp(how, "connect") == 0)
        (void)connect(plain, (struct sockaddr *)&address, sizeof(address));
    if (other >= 0)
        (void)dup2(other, plain);
    set_peer(bio, to,
             strcmp(how, "peer") == 0 ? BIO_CTRL_DGRAM_SET_PEER : BIO_CTRL_DGRAM_SET_CONNECTED);
}

static int move_datagrams(SSL *ssl, const char *how, const char *from, const char *to)
{
    bool connected = strcmp(how, "peer") != 0;
    int plain = connected ? dial(SOCK_DGRAM, from) : socket(AF_INET, SOCK_DGRAM, 0);
    BIO *bio = BIO_new_dgram(plain, BIO_CLOSE);
    struct timeval soon = {0, 1000}, long_after = {60, 0};

    set_peer(bio, from, connected ? BIO_CTRL_DGRAM_SET_CONNECTED : BIO_CTRL_DGRAM_SET_PEER);
    (void)BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_RECV_TIMEOUT, 0, &soon);
    SSL_set_bio(ssl, bio, bio);
    DTLS_set_timer_cb(ssl, lose);
    (void)SSL_connect(ssl);
    ERR_clear_error();
    carry(how, plain, bio, to);
    while (DTLSv1_handle_timeout(ssl) == 0)
        (void)poll(NULL, 0, 1);
    (void)BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_RECV_TIMEOUT, 0, &long_after);
    return finish(ssl);
}

int main(int argc, char **argv)
{
    bool streams = argc > 1 && (strcmp(argv[1], "failing") == 0 || strcmp(argv[1], "late") == 0);
    SSL_CTX *context = SSL_CTX_new(streams ? TLS_client_method() : DTLS_client_method());
    SSL *ssl = context != NULL ? SSL_new(context) : NULL;

    if (argc < 4 || ssl == NULL)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc > 4)
        (void)SSL_set_tlsext_host_name(ssl, argv[4]);
    if (strcmp(argv[1], "failing") == 0)
        return fail_over(ssl, argv[2], argv[3]);
    if (strcmp(argv[1], "late") == 0)
        return look_late(ssl, argv[2]);
    return move_datagrams(ssl, argv[1], argv[2], argv[3]);
}
