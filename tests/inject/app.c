/*
 * app.c - app SCENARIO PKI trusting|trustless: an application with something odd about it.
 * Prints what became of its connections: accepted, refused, mixed; or broken. The exit status
 * is 0 unless it is broken.
 */
#include "callbacks.h"
#include "pair.h"
#include "tally.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

SSL_CTX *early_context(void); /* early.c */

static void plain(struct tally *tally)
{
    tally_add(tally, pair_once());
}

/* early.c made this context in a constructor, before the preloaded library had its turn. */
static void constructor(struct tally *tally)
{
    SSL_CTX *ctx = early_context();

    if (ctx != NULL && !pair_prepare(ctx))
        tally_add(tally, BROKEN);
    tally_add(tally, pair_connect(pair_connection(ctx)));
}

/* Connects in a child; a child that hangs is ended by its alarm and counts as broken. */
static void in_child(struct tally *tally, SSL_CTX *ctx)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        (void)alarm(60);
        _exit((int)(ctx != NULL ? pair_connect(pair_connection(ctx)) : pair_once()));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        tally_add(tally, BROKEN);
    else
        tally_add(tally, (enum outcome)WEXITSTATUS(status));
}

/* The child's handshakes: the first TLS of all, and with a context of its parent's. */
static void forked(struct tally *tally)
{
    in_child(tally, NULL);
    SSL_CTX *ctx = pair_client();
    if (ctx == NULL)
        tally_add(tally, REFUSED);
    else
        in_child(tally, ctx);
    SSL_CTX_free(ctx);
    tally_add(tally, pair_once());
}

static void *connect_some(void *arg)
{
    for (int i = 0; i < 10; i++)
        tally_add(arg, pair_once());
    return NULL;
}

static void threads(struct tally *tally)
{
    pthread_t thread[8];
    int started = 0;

    while (started < 8 && pthread_create(&thread[started], NULL, connect_some, tally) == 0)
        started++;
    if (started < 8)
        tally_add(tally, BROKEN);
    while (started > 0)
        (void)pthread_join(thread[--started], NULL);
}

static atomic_bool stop;

/* Busy in what we interpose, but in nothing of OpenSSL's: its own locks survive no fork. */
static void *keep_busy(void *ssl)
{
    struct addrinfo *found = NULL;

    while (!stop) {
        if (getaddrinfo("localhost", NULL, NULL, &found) == 0)
            freeaddrinfo(found);
        for (int i = 0; i < 1000; i++)
            (void)SSL_get_info_callback(ssl);
    }
    return NULL;
}

static void busy_fork(struct tally *tally)
{
    SSL_CTX *ctx = pair_client();
    SSL *ssl = pair_connection(ctx);
    pthread_t thread;

    if (ssl == NULL || pthread_create(&thread, NULL, keep_busy, ssl) != 0) {
        tally_add(tally, ctx == NULL ? REFUSED : BROKEN);
    } else {
        for (int i = 0; i < 20; i++)
            in_child(tally, NULL);
        stop = true;
        (void)pthread_join(thread, NULL);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* No verification at all, like `curl -k`. */
static void unverifying(struct tally *tally)
{
    SSL_CTX *ctx = pair_client();

    if (ctx != NULL)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    tally_add(tally, pair_connect(pair_connection(ctx)));
    SSL_CTX_free(ctx);
}

/* OpenSSL is gone before the process is; what is left must not be touched at exit. */
static void cleanup(struct tally *tally)
{
    tally_add(tally, pair_once());
    OPENSSL_cleanup();
    if (SSL_CTX_new(TLS_client_method()) != NULL)
        tally_add(tally, BROKEN);
}

/* The process has left the folder from which a relative LD_PRELOAD named the library. */
static void elsewhere(struct tally *tally)
{
    if (chdir("/") != 0)
        tally_add(tally, BROKEN);
    tally_add(tally, pair_once());
}

static void *serve(void *arg)
{
    int fd = accept(*(int *)arg, NULL, NULL);

    if (fd >= 0) {
        pair_serve(fd);
        (void)close(fd);
    }
    return NULL;
}

static int dial(const struct addrinfo *to, in_port_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = port};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr = ((const struct sockaddr_in *)to->ai_addr)->sin_addr;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* Looks "localhost" up, connects to what it finds, and names nobody to the library. */
static void nameless(struct tally *tally)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = -1;
    SSL_CTX *ctx = pair_client();
    pthread_t thread;

    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        getaddrinfo("localhost", NULL, &hints, &found) != 0 ||
        pthread_create(&thread, NULL, serve, &listener) != 0) {
        tally_add(tally, BROKEN);
        return;
    }
    fd = dial(found, address.sin_port);
    tally_add(tally, pair_connect_fd(ctx, fd));
    (void)close(fd);
    (void)pthread_join(thread, NULL);
    (void)close(listener);
    freeaddrinfo(found);
    SSL_CTX_free(ctx);
}

/* BIOs that the program takes away from a handshake under way end as a whole. */
static void replaced(struct tally *tally)
{
    SSL_CTX *ctx = pair_client();
    SSL *ssl = ctx != NULL ? SSL_new(ctx) : NULL;
    BIO *wire = NULL;
    int ends[2];

    if (ssl == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0) {
        tally_add(tally, BROKEN);
        return;
    }
    wire = BIO_push(BIO_new(BIO_f_buffer()), BIO_new_socket(ends[0], BIO_CLOSE));
    SSL_set_bio(ssl, wire, wire);
    if (SSL_set_tlsext_host_name(ssl, "api.example.test") != 1 || SSL_connect(ssl) == 1)
        tally_add(tally, BROKEN);
    SSL_set_bio(ssl, NULL, NULL);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    tally_add(tally, fcntl(ends[0], F_GETFD) < 0 ? ACCEPTED : REFUSED);
    close(ends[1]);
}

static const struct {
    const char *name;
    void (*run)(struct tally *tally);
} scenarios[] = {
    {"plain", plain},
    {"constructor", constructor},
    {"forked", forked},
    {"busy-fork", busy_fork},
    {"threads", threads},
    {"own-accepting", own_accepting},
    {"own-accepting-late", own_accepting_late},
    {"own-refusing", own_refusing},
    {"own-revoking", own_revoking},
    {"own-both", own_both},
    {"own-both-late", own_both_late},
    {"info", own_info},
    {"context-info", own_context_info},
    {"unverifying", unverifying},
    {"cleanup", cleanup},
    {"elsewhere", elsewhere},
    {"nameless", nameless},
    {"replaced", replaced},
};

static const char *word(const struct tally *tally)
{
    if (tally->count[BROKEN] > 0)
        return "broken";
    if (tally->count[ACCEPTED] > 0 && tally->count[REFUSED] > 0)
        return "mixed";
    return outcome_word(tally->count[ACCEPTED] > 0 ? ACCEPTED : REFUSED);
}

int main(int argc, char **argv)
{
    struct tally tally = {0};

    if (argc != 4)
        return 2;
    pair_setup(argv[2], strcmp(argv[3], "trusting") == 0);
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        if (strcmp(scenarios[i].name, argv[1]) != 0)
            continue;
        scenarios[i].run(&tally);
        (void)puts(word(&tally));
        return tally.count[BROKEN] > 0 ? 1 : 0;
    }
    return 2;
}
