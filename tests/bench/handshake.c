/*
 * handshake.c - TLS 1.3 handshakes in one process, of which only the client's CPU time counts.
 *
 *   handshake DIR [fresh] [tcp]
 *
 * DIR holds root.pem, intermediate.pem and .key, leaf.pem and .key (P-256; the leaf is for
 * *.bench.test). The client verifies against root.pem, as it would without trustgraft.
 * fresh: a certificate that was never seen before and another name for each handshake.
 * tcp: over TCP on loopback, as programs have it, whose connections are made and closed on nobody's
 * account; else through memory, which leaves out what the kernel does for either side.
 * BENCH_DESCRIPTORS in the environment: so many descriptors of TCP connections stay open beside.
 *
 * Each line of standard input is a number of handshakes to make; each is answered by a JSON
 * object: how many were made so far, the CPU time of the client in the cheapest of this batch
 * (what disturbs a machine only ever adds), and the memory held now. So several of these can
 * take turns and be compared round by round. Exit: 0, or 1 where a handshake failed.
 */
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ROUNDS = 16 };

struct bench {
    SSL_CTX *client, *server;
    X509 *leaf;
    EVP_PKEY *leaf_key, *issuer_key;
    bool fresh, tcp;
    int listener;
};

static void fail(const char *what)
{
    fprintf(stderr, "handshake: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static FILE *open_in(const char *dir, const char *name)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    file = fopen(path, "re");
    if (!file)
        fail(path);
    return file;
}

static X509 *read_certificate(const char *dir, const char *name)
{
    FILE *file = open_in(dir, name);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);

    fclose(file);
    if (!certificate)
        fail(name);
    return certificate;
}

static EVP_PKEY *read_key(const char *dir, const char *name)
{
    FILE *file = open_in(dir, name);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);

    fclose(file);
    if (!key)
        fail(name);
    return key;
}

static SSL_CTX *new_context(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION))
        fail("no context");
    return ctx;
}

static void set_up(struct bench *bench, const char *dir)
{
    X509 *root = read_certificate(dir, "root.pem");
    X509 *intermediate = read_certificate(dir, "intermediate.pem");

    bench->leaf = read_certificate(dir, "leaf.pem");
    bench->leaf_key = read_key(dir, "leaf.key");
    bench->issuer_key = read_key(dir, "intermediate.key");

    bench->client = new_context(TLS_client_method());
    SSL_CTX_set_verify(bench->client, SSL_VERIFY_PEER, NULL);
    if (!X509_STORE_add_cert(SSL_CTX_get_cert_store(bench->client), root))
        fail("no anchor");

    bench->server = new_context(TLS_server_method());
    SSL_CTX_set_num_tickets(bench->server, 0);
    if (!SSL_CTX_use_certificate(bench->server, bench->leaf) ||
        !SSL_CTX_use_PrivateKey(bench->server, bench->leaf_key) ||
        !SSL_CTX_add1_chain_cert(bench->server, intermediate))
        fail("no identity");
    X509_free(root);
    X509_free(intermediate);
}

/* The same key and names under another serial number: nothing cached knows it. */
static void use_fresh_leaf(const struct bench *bench, SSL *server, long serial)
{
    X509 *leaf = X509_dup(bench->leaf);

    if (!leaf || !ASN1_INTEGER_set(X509_get_serialNumber(leaf), 1000 + serial) ||
        !X509_sign(leaf, bench->issuer_key, EVP_sha256()) || !SSL_use_certificate(server, leaf) ||
        !SSL_use_PrivateKey(server, bench->leaf_key))
        fail("no fresh leaf");
    X509_free(leaf);
}

static long long cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* One step of SSL; true once its handshake is over. */
static bool step(SSL *ssl)
{
    int done = SSL_do_handshake(ssl);

    if (done != 1 && SSL_get_error(ssl, done) != SSL_ERROR_WANT_READ)
        fail("refused");
    return done == 1;
}

/* An end of a connection: a descriptor, or else a BIO. */
struct line {
    BIO *bio;
    int descriptor;
};

static void attach(SSL *ssl, const struct line *line)
{
    if (line->bio)
        SSL_set_bio(ssl, line->bio, line->bio);
    else if (!SSL_set_fd(ssl, line->descriptor))
        fail("no descriptor");
}

static int listen_on_loopback(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (bind(listener, (struct sockaddr *)address, size) != 0 || listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)address, &size) != 0)
        fail("no listener");
    return listener;
}

/* A client and a server that take turns in one thread never wait for each other. */
static void set_up_line(const struct bench *bench, struct line *client, struct line *server)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;

    *client = *server = (struct line){NULL, -1};
    if (!bench->tcp) {
        if (!BIO_new_bio_pair(&client->bio, 0, &server->bio, 0))
            fail("no BIO pair");
        return;
    }
    client->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (getsockname(bench->listener, (struct sockaddr *)&address, &size) != 0 ||
        connect(client->descriptor, (struct sockaddr *)&address, size) != 0)
        fail("no connection");
    server->descriptor = accept4(bench->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (server->descriptor < 0 || fcntl(client->descriptor, F_SETFL, O_NONBLOCK) != 0)
        fail("no connection");
}

/* By a reset: thousands would use up the ports, each for a minute. */
static void hang_up(const struct line *line)
{
    const struct linger none = {.l_onoff = 1};

    if (line->descriptor < 0)
        return;
    (void)setsockopt(line->descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(line->descriptor);
}

/*
 * The client's part: all of it stands in functions called client_*, which callgrind can pick out.
 * Each adds the nanoseconds of CPU that it took to *SPENT.
 */
static __attribute__((noinline)) SSL *client_new(const struct bench *bench, const struct line *line,
                                                 long number, long long *spent)
{
    long long start = cpu_ns();
    SSL *client = SSL_new(bench->client);
    char host[64];

    snprintf(host, sizeof host, "h%ld.bench.test", bench->fresh ? number : 0L);
    if (!client || !SSL_set1_host(client, host) || !SSL_set_tlsext_host_name(client, host))
        fail("no client");
    attach(client, line);
    SSL_set_connect_state(client);
    *spent += cpu_ns() - start;
    return client;
}

static __attribute__((noinline)) bool client_step(SSL *client, long long *spent)
{
    long long start = cpu_ns();
    bool done = step(client);

    *spent += cpu_ns() - start;
    return done;
}

static __attribute__((noinline)) void client_free(SSL *client, long long *spent)
{
    long long start = cpu_ns();

    SSL_free(client);
    *spent += cpu_ns() - start;
}

static SSL *new_server(const struct bench *bench, const struct line *line, long number)
{
    SSL *server = SSL_new(bench->server);

    if (!server)
        fail("no server");
    attach(server, line);
    SSL_set_accept_state(server);
    if (bench->fresh)
        use_fresh_leaf(bench, server, number);
    return server;
}

/* Returns the nanoseconds of CPU that the client took, its SSL's making and freeing included. */
static long long handshake(const struct bench *bench, long number)
{
    struct line to_server, to_client;
    long long spent = 0;
    bool client_done = false, server_done = false;
    SSL *client, *server;

    set_up_line(bench, &to_server, &to_client);
    server = new_server(bench, &to_client, number);
    client = client_new(bench, &to_server, number, &spent);
    for (int round = 0; !(client_done && server_done); round++) {
        if (round == MAX_ROUNDS)
            fail("the handshake does not end");
        client_done = client_step(client, &spent);
        server_done = step(server);
    }
    client_free(client, &spent);
    SSL_free(server);
    hang_up(&to_server);
    hang_up(&to_client);
    return spent;
}

static long resident_kb(void)
{
    char line[64] = "";
    char *pages = line;
    FILE *file = fopen("/proc/self/statm", "re");

    if (!file || !fgets(line, sizeof line, file))
        fail("no /proc/self/statm");
    fclose(file);
    strtol(pages, &pages, 10); /* the size comes first */
    return strtol(pages, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Makes COUNT handshakes, the first being number FIRST; returns what the cheapest took. */
static long long batch(const struct bench *bench, long first, long count)
{
    long long least = LLONG_MAX;

    for (long i = 0; i < count; i++) {
        long long spent = handshake(bench, first + i);

        if (spent < least)
            least = spent;
    }
    return least;
}

static void report(long made, long long client_ns)
{
    struct mallinfo2 heap = mallinfo2();

    printf("{\"handshakes\":%ld,\"client_ns\":%lld,\"rss_kb\":%ld,\"heap_kb\":%zu}\n", made,
           client_ns, resident_kb(), (heap.uordblks + heap.hblkhd) / 1024);
    fflush(stdout);
}

/* Connections to a listener of its own, until it has COUNT descriptors more. */
static void crowd(long count)
{
    struct sockaddr_in address;
    struct rlimit limit;
    int listener = listen_on_loopback(&address);

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    for (; count > 0; count -= 2)
        if (connect(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&address,
                    sizeof address) != 0 ||
            accept(listener, NULL, NULL) < 0)
            fail("no connection");
}

int main(int argc, char **argv)
{
    const char *descriptors = getenv("BENCH_DESCRIPTORS");
    struct bench bench = {0};
    char line[32];
    long made = 0;

    if (argc < 2)
        fail("usage: handshake DIR [fresh] [tcp]");
    bench.fresh = argc > 2 && !strcmp(argv[2], "fresh");
    bench.tcp = argc > 2 && !strcmp(argv[argc - 1], "tcp");
    if (bench.tcp)
        bench.listener = listen_on_loopback(&(struct sockaddr_in){0});
    set_up(&bench, argv[1]);
    if (descriptors)
        crowd(strtol(descriptors, NULL, 10));
    while (fgets(line, sizeof line, stdin)) {
        long count = strtol(line, NULL, 10);
        long long least;

        if (count < 1)
            fail("a number of handshakes, from 1");
        least = batch(&bench, made + 1, count);
        made += count;
        report(made, least);
    }
    return 0;
}
