/*
 * gnutls.c - handshake.c's handshakes by GnuTLS: in memory, of which the client's CPU time counts.
 *
 *   gnutls DIR
 *
 * DIR, standard input and what is printed are as in handshake.c, but for the memory.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_ROUNDS = 16, ROOM = 1 << 16 };

static const char host[] = "h0.bench.test";

/* What one side wrote and the other hasn't read. */
struct pipe {
    char data[ROOM];
    size_t from, to;
};

/* What a session reads and writes. */
struct ends {
    struct pipe *in, *out;
};

static void fail(const char *what, int error)
{
    fprintf(stderr, "gnutls: %s: %s\n", what, gnutls_strerror(error));
    exit(1);
}

static void need(int result, const char *what)
{
    if (result < 0)
        fail(what, result);
}

static ssize_t push(gnutls_transport_ptr_t transport, const void *data, size_t size)
{
    struct pipe *out = ((struct ends *)transport)->out;

    if (size > ROOM - out->to)
        fail("no room", GNUTLS_E_MEMORY_ERROR);
    memcpy(out->data + out->to, data, size);
    out->to += size;
    return (ssize_t)size;
}

/* Asks for no more than there is, or for EAGAIN. */
static ssize_t pull(gnutls_transport_ptr_t transport, void *data, size_t size)
{
    struct pipe *in = ((struct ends *)transport)->in;
    size_t left = in->to - in->from;

    if (left == 0) {
        errno = EAGAIN;
        return -1;
    }
    if (size > left)
        size = left;
    memcpy(data, in->data + in->from, size);
    in->from += size;
    if (in->from == in->to)
        in->from = in->to = 0;
    return (ssize_t)size;
}

static gnutls_certificate_credentials_t read_identity(const char *dir)
{
    gnutls_certificate_credentials_t made;
    char chain[4096], key[4096];

    snprintf(chain, sizeof chain, "%s/chain.pem", dir);
    snprintf(key, sizeof key, "%s/leaf.key", dir);
    need(gnutls_certificate_allocate_credentials(&made), "no credentials");
    need(gnutls_certificate_set_x509_key_file(made, chain, key, GNUTLS_X509_FMT_PEM), chain);
    return made;
}

static gnutls_certificate_credentials_t read_anchor(const char *dir)
{
    gnutls_certificate_credentials_t made;
    char root[4096];

    snprintf(root, sizeof root, "%s/root.pem", dir);
    need(gnutls_certificate_allocate_credentials(&made), "no credentials");
    need(gnutls_certificate_set_x509_trust_file(made, root, GNUTLS_X509_FMT_PEM), root);
    return made;
}

static gnutls_session_t open_session(unsigned flags, gnutls_certificate_credentials_t credentials,
                                     struct ends *ends)
{
    gnutls_session_t session;

    need(gnutls_init(&session, flags | GNUTLS_NO_TICKETS), "no session");
    need(gnutls_priority_set_direct(session, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL), "no priority");
    need(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials), "no credentials");
    gnutls_transport_set_ptr(session, ends);
    gnutls_transport_set_push_function(session, push);
    gnutls_transport_set_pull_function(session, pull);
    return session;
}

static long long cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static bool step(gnutls_session_t session)
{
    int result = gnutls_handshake(session);

    if (result < 0 && result != GNUTLS_E_AGAIN)
        fail("refused", result);
    return result == 0;
}

/* Returns the nanoseconds of CPU that the client took, making and freeing its session included. */
static long long handshake(gnutls_certificate_credentials_t anchor,
                           gnutls_certificate_credentials_t identity)
{
    static struct pipe to_server, to_client;
    struct ends client_ends = {&to_client, &to_server}, server_ends = {&to_server, &to_client};
    gnutls_session_t server = open_session(GNUTLS_SERVER, identity, &server_ends), client;
    bool client_done = false, server_done = false;
    long long start = cpu_ns(), spent;

    client = open_session(GNUTLS_CLIENT, anchor, &client_ends);
    need(gnutls_server_name_set(client, GNUTLS_NAME_DNS, host, strlen(host)), "no name");
    gnutls_session_set_verify_cert(client, host, 0);
    spent = cpu_ns() - start;
    for (int round = 0; !(client_done && server_done); round++) {
        if (round == MAX_ROUNDS)
            fail("the handshake does not end", 0);
        start = cpu_ns();
        client_done = client_done || step(client);
        spent += cpu_ns() - start;
        server_done = server_done || step(server);
    }
    start = cpu_ns();
    gnutls_deinit(client);
    spent += cpu_ns() - start;
    gnutls_deinit(server);
    to_server.from = to_server.to = to_client.from = to_client.to = 0;
    return spent;
}

int main(int argc, char **argv)
{
    gnutls_certificate_credentials_t anchor, identity;
    char line[32];
    long made = 0;

    if (argc < 2)
        fail("usage: gnutls DIR", 0);
    anchor = read_anchor(argv[1]);
    identity = read_identity(argv[1]);
    while (fgets(line, sizeof line, stdin)) {
        long count = strtol(line, NULL, 10);
        long long least = LLONG_MAX;

        for (long i = 0; i < count; i++) {
            long long spent = handshake(anchor, identity);

            if (spent < least)
                least = spent;
        }
        made += count;
        printf("{\"handshakes\":%ld,\"client_ns\":%lld}\n", made, least);
        fflush(stdout);
    }
    gnutls_certificate_free_credentials(anchor);
    gnutls_certificate_free_credentials(identity);
    return 0;
}
