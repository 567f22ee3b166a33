/*
 * app.c - app SCENARIO PKI trusting|trustless: an application with something odd about it.
 * Prints what became of its connections: accepted, refused, mixed; or broken. The exit status
 * is 0 unless it is broken.
 */
#include "pair.h"
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

/* What came of several connections: the same for all, or the word "mixed". */
struct tally {
    atomic_int count[BROKEN + 1];
};

static void add(struct tally *tally, enum outcome outcome)
{
    atomic_fetch_add(&tally->count[outcome], 1);
}

static void plain(struct tally *tally)
{
    add(tally, pair_once());
}

/* early.c made this context in a constructor, before the preloaded library had its turn. */
static void constructor(struct tally *tally)
{
    SSL_CTX *ctx = early_context();

    if (ctx != NULL && !pair_prepare(ctx))
        add(tally, BROKEN);
    add(tally, pair_connect(pair_connection(ctx)));
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
        add(tally, BROKEN);
    else
        add(tally, (enum outcome)WEXITSTATUS(status));
}

/* The child's handshakes: the first TLS of all, and with a context of its parent's. */
static void forked(struct tally *tally)
{
    in_child(tally, NULL);
    SSL_CTX *ctx = pair_client();
    if (ctx == NULL)
        add(tally, REFUSED);
    else
        in_child(tally, ctx);
    SSL_CTX_free(ctx);
    add(tally, pair_once());
}

static void *connect_some(void *arg)
{
    for (int i = 0; i < 10; i++)
        add(arg, pair_once());
    return NULL;
}

static void threads(struct tally *tally)
{
    pthread_t thread[8];
    int started = 0;

    while (started < 8 && pthread_create(&thread[started], NULL, connect_some, tally) == 0)
        started++;
    if (started < 8)
        add(tally, BROKEN);
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
        add(tally, ctx == NULL ? REFUSED : BROKEN);
    } else {
        for (int i = 0; i < 20; i++)
            in_child(tally, NULL);
        stop = true;
        (void)pthread_join(thread, NULL);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static int verdict;
static atomic_int asked;

static int own_verify(X509_STORE_CTX *store, void *arg)
{
    if (arg != &verdict)
        return -1;
    atomic_fetch_add(&asked, 1);
    X509_STORE_CTX_set_error(store, verdict ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
    return verdict;
}

/* How often it is asked, where the runner says how often it must be. */
static void check_asked(struct tally *tally)
{
    const char *times = getenv("ASKED");

    if (times != NULL && asked != strtol(times, NULL, 10))
        add(tally, BROKEN);
}

/* Sets its own callback on the context, before (0) or after (1) the connection is made. */
static void verify_itself(struct tally *tally, int accept, bool late)
{
    SSL_CTX *ctx = pair_client();
    SSL *ssl = late ? pair_connection(ctx) : NULL;

    verdict = accept;
    if (ctx != NULL)
        SSL_CTX_set_cert_verify_callback(ctx, own_verify, &verdict);
    add(tally, pair_connect(late ? ssl : pair_connection(ctx)));
    SSL_CTX_free(ctx);
    check_asked(tally);
}

static void own_accepting(struct tally *tally)
{
    verify_itself(tally, 1, false);
}

static void own_accepting_late(struct tally *tally)
{
    verify_itself(tally, 1, true);
}

static void own_refusing(struct tally *tally)
{
    verify_itself(tally, 0, false);
}

static atomic_int done;

static void own_info(const SSL *ssl, int where, int value)
{
    (void)ssl, (void)value;
    if (where & SSL_CB_HANDSHAKE_DONE)
        atomic_fetch_add(&done, 1);
}

/* Its own info callback is called, once, and is the one it gets back, if that is asked for. */
static void info(struct tally *tally)
{
    SSL_CTX *ctx = pair_client();
    SSL *ssl = pair_connection(ctx);
    enum outcome outcome;

    if (ssl != NULL) {
        if (getenv("EXACT") != NULL && SSL_get_info_callback(ssl) != NULL)
            add(tally, BROKEN);
        SSL_set_info_callback(ssl, own_info);
        if (getenv("EXACT") != NULL && SSL_get_info_callback(ssl) != own_info)
            add(tally, BROKEN);
    }
    outcome = pair_connect(ssl);
    if (outcome == ACCEPTED && done != 1)
        outcome = BROKEN;
    add(tally, outcome);
    SSL_CTX_free(ctx);
}

static void context_info(struct tally *tally)
{
    SSL_CTX *ctx = pair_client();
    enum outcome outcome;

    if (ctx != NULL)
        SSL_CTX_set_info_callback(ctx, own_info);
    outcome = pair_connect(pair_connection(ctx));
    if (outcome == ACCEPTED && done != 1)
        outcome = BROKEN;
    add(tally, outcome);
    SSL_CTX_free(ctx);
}

/* Its own verify callback and its own info callbacks: the hook and the gate are both gone. */
static void own_both(struct tally *tally)
{
    SSL_CTX *ctx = pair_client();
    SSL *ssl = pair_connection(ctx);
    enum outcome outcome;

    verdict = 1;
    if (ssl != NULL) {
        SSL_CTX_set_cert_verify_callback(ctx, own_verify, &verdict);
        SSL_CTX_set_info_callback(ctx, own_info);
        SSL_set_info_callback(ssl, own_info);
    }
    outcome = pair_connect(ssl);
    add(tally, outcome == ACCEPTED && done != 1 ? BROKEN : outcome);
    SSL_CTX_free(ctx);
    check_asked(tally);
}

static int own_verify_and_info(X509_STORE_CTX *store, void *arg)
{
    SSL_set_info_callback(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
                          own_info);
    return own_verify(store, arg);
}

/* The same, but the info callback is set after the ClientHello. */
static void own_both_late(struct tally *tally)
{
    SSL_CTX *ctx = pair_client();

    verdict = 1;
    if (ctx != NULL)
        SSL_CTX_set_cert_verify_callback(ctx, own_verify_and_info, &verdict);
    add(tally, pair_connect(pair_connection(ctx)));
    SSL_CTX_free(ctx);
    check_asked(tally);
}

/* No verification at all, like `curl -k`. */
static void unverifying(struct tally *tally)
{
    SSL_CTX *ctx = pair_client();

    if (ctx != NULL)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    add(tally, pair_connect(pair_connection(ctx)));
    SSL_CTX_free(ctx);
}

/* OpenSSL is gone before the process is; what is left must not be touched at exit. */
static void cleanup(struct tally *tally)
{
    add(tally, pair_once());
    OPENSSL_cleanup();
    if (SSL_CTX_new(TLS_client_method()) != NULL)
        add(tally, BROKEN);
}

/* The process has left the folder from which a relative LD_PRELOAD named the library. */
static void elsewhere(struct tally *tally)
{
    if (chdir("/") != 0)
        add(tally, BROKEN);
    add(tally, pair_once());
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
        add(tally, BROKEN);
        return;
    }
    fd = dial(found, address.sin_port);
    add(tally, pair_connect_fd(ctx, fd));
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
        add(tally, BROKEN);
        return;
    }
    wire = BIO_push(BIO_new(BIO_f_buffer()), BIO_new_socket(ends[0], BIO_CLOSE));
    SSL_set_bio(ssl, wire, wire);
    if (SSL_set_tlsext_host_name(ssl, "api.example.test") != 1 || SSL_connect(ssl) == 1)
        add(tally, BROKEN);
    SSL_set_bio(ssl, NULL, NULL);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    add(tally, fcntl(ends[0], F_GETFD) < 0 ? ACCEPTED : REFUSED);
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
    {"own-both", own_both},
    {"own-both-late", own_both_late},
    {"info", info},
    {"context-info", context_info},
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
