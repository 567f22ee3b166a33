/*
 * decide.c - decide SCENARIO PKI trusting|trustless: clients that take the decision about a
 * server into their own hands. Prints, in one line, what they saw and what came of it.
 */
#include "ends.h"
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* One connection to LEAF by a client of CTX. */
static SSL *meet(SSL_CTX *ctx, const char *leaf)
{
    SSL *client = ends_connecting(ctx, ENDS_HOST);
    SSL *server = ends_accepting(ends_server(leaf, 0));

    (void)printf("%s", ends_meet(client, server));
    SSL_free(server);
    return client;
}

static void finish(SSL *client)
{
    if (client != NULL)
        (void)printf(" result %ld chain %d", SSL_get_verify_result(client),
                     sk_X509_num(SSL_get0_verified_chain(client)));
    SSL_free(client);
}

static char calls[512];

/* Collects what it is told, and overrides every error. */
static int collect(int verified, X509_STORE_CTX *store)
{
    size_t length = strlen(calls);

    (void)snprintf(calls + length, sizeof(calls) - length, " %d:%d%c",
                   X509_STORE_CTX_get_error_depth(store), X509_STORE_CTX_get_error(store),
                   verified ? '+' : '-');
    return 1;
}

static void collecting(void)
{
    SSL_CTX *ctx = ends_client();
    SSL *client = NULL;

    if (ctx != NULL)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, collect);
    client = meet(ctx, "api");
    (void)printf(" told%s", calls);
    finish(client);
}

/* No verification; the result is looked at afterwards. */
static SSL *meet_unverified(void)
{
    SSL_CTX *ctx = ends_client();

    if (ctx != NULL)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    return meet(ctx, "api");
}

static void looking_later(void)
{
    finish(meet_unverified());
}

/* The server's chain against the application's own store, by hand. */
static void by_hand(void)
{
    SSL *client = meet_unverified();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int verified = -1;

    if (client != NULL && context != NULL && SSL_get0_peer_certificate(client) != NULL &&
        X509_STORE_CTX_init(context, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(client)),
                            SSL_get0_peer_certificate(client), SSL_get_peer_cert_chain(client)))
        verified = X509_verify_cert(context);
    (void)printf(" by hand %d", verified);
    X509_STORE_CTX_free(context);
    SSL_free(client);
}

/* The connection goes over to another context before it begins. */
static void other_context(void)
{
    SSL *client = ends_connecting(ends_client(), ENDS_HOST);
    SSL *server = ends_accepting(ends_server("api", 0));
    SSL_CTX *other = ends_client();

    if (client != NULL && other != NULL)
        (void)SSL_set_SSL_CTX(client, other);
    SSL_CTX_free(other);
    (void)printf("%s", ends_meet(client, server));
    SSL_free(server);
    finish(client);
}

static SSL_CTX *shared;
static atomic_int met[2][2]; /* host, through */

static void *visit(void *arg)
{
    static const char *const hosts[] = {ENDS_HOST, "bad.example.test"};

    for (int i = 0; i < 2; i++) {
        SSL *client = NULL, *server = ends_accepting(ends_server("api", 0));

        if (shared != NULL && SSL_CTX_up_ref(shared))
            client = ends_connecting(shared, hosts[i % 2]);
        atomic_fetch_add(&met[i % 2][strcmp(ends_meet(client, server), "through") == 0], 1);
        SSL_free(client);
        SSL_free(server);
    }
    return arg;
}

/* One context, two hosts, a hundred threads at once. */
static void sharing(void)
{
    pthread_t threads[100];
    int count = 0;

    shared = ends_client();
    while (count < 100 && pthread_create(&threads[count], NULL, visit, NULL) == 0)
        count++;
    for (int i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
    (void)printf("one %d of %d, other %d of %d", met[0][1], met[0][0] + met[0][1], met[1][1],
                 met[1][0] + met[1][1]);
    SSL_CTX_free(shared);
}

/* Whom this very process serves, it checks itself. */
static void serving(void)
{
    for (int i = 0; i < 2; i++) {
        static const char *const leafs[] = {"client-only", "api-other"};
        SSL_CTX *own = ends_client(), *ctx = ends_server("api", 0);
        char chain[64], key[64];
        SSL *client = NULL, *server = NULL;

        (void)snprintf(chain, sizeof(chain), "%s.chain.pem", leafs[i]);
        (void)snprintf(key, sizeof(key), "%s.key", leafs[i]);
        if (own == NULL || ctx == NULL ||
            SSL_CTX_use_certificate_chain_file(own, ends_file(chain)) != 1 ||
            SSL_CTX_use_PrivateKey_file(own, ends_file(key), SSL_FILETYPE_PEM) != 1 ||
            SSL_CTX_load_verify_locations(ctx, ends_file("root.pem"), NULL) != 1)
            return;
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        client = ends_connecting(own, ENDS_HOST);
        server = ends_accepting(ctx);
        (void)printf("%s: %s, client's result %ld; ", leafs[i], ends_meet(client, server),
                     SSL_get_verify_result(server));
        SSL_free(client);
        SSL_free(server);
        ERR_clear_error();
    }
}

static int agree(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static void renegotiate(const char *leaf, bool own)
{
    SSL_CTX *ctx = ends_client(), *second = ends_server(leaf, TLS1_2_VERSION);
    SSL *client = NULL, *server = ends_accepting(ends_server("api", TLS1_2_VERSION));
    bool again = false;
    char byte;

    if (ctx != NULL && own)
        SSL_CTX_set_cert_verify_callback(ctx, agree, NULL);
    else if (ctx != NULL)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    client = ends_connecting(ctx, ENDS_HOST);
    (void)printf("%s", ends_meet(client, server));
    if (client != NULL && server != NULL && second != NULL) {
        (void)SSL_set_SSL_CTX(server, second);
        (void)SSL_set_options(server, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
        again = SSL_renegotiate(server) == 1 && SSL_do_handshake(server) == 1;
        for (int i = 0; i < 10; i++) {
            (void)SSL_read(client, &byte, 1);
            (void)SSL_read(server, &byte, 1);
        }
        again = again && ends_pass(client, server) && ends_pass(server, client);
    }
    (void)printf(", again %s; ", again ? "through" : "stopped");
    SSL_CTX_free(second);
    SSL_free(client);
    SSL_free(server);
    ERR_clear_error();
}

static void renegotiating(void)
{
    renegotiate("api", false);
    renegotiate("api-other", false);
}

static void renegotiating_own(void)
{
    renegotiate("api", true);
    renegotiate("api-other", true);
}

static void no_info(const SSL *ssl, int where, int value)
{
    (void)ssl, (void)where, (void)value;
}

/* An application's last moment: a Finished has come or gone, and the handshake is not over. */
static void on_message(int written, int version, int type, const void *data, size_t length,
                       SSL *ssl, void *arg)
{
    (void)written, (void)version, (void)arg;
    if (type != SSL3_RT_HANDSHAKE || length == 0)
        return;
    if (*(const char *)data == SSL3_MT_SERVER_HELLO)
        SSL_CTX_set_cert_verify_callback(SSL_get_SSL_CTX(ssl), agree, NULL);
    if (*(const char *)data == SSL3_MT_FINISHED)
        SSL_set_info_callback(ssl, no_info);
}

static void last_moment(int version)
{
    SSL_CTX *ctx = ends_client();
    SSL *client = NULL, *server = ends_accepting(ends_server("api", version));

    if (ctx != NULL)
        SSL_CTX_set_msg_callback(ctx, on_message);
    client = ends_connecting(ctx, ENDS_HOST);
    (void)printf("%s", ends_meet(client, server));
    SSL_free(client);
    SSL_free(server);
}

static void last_moment_2(void)
{
    last_moment(TLS1_2_VERSION);
}

static void last_moment_3(void)
{
    last_moment(TLS1_3_VERSION);
}

/* SSL_write makes the handshake itself. */
static void writing_first(void)
{
    SSL_CTX *ctx = ends_client();
    SSL *client = NULL, *server = ends_accepting(ends_server("api", TLS1_2_VERSION));
    bool arrived = false;
    char byte = 'x', got = 0;

    if (ctx != NULL)
        SSL_CTX_set_cert_verify_callback(ctx, agree, NULL);
    client = ends_connecting(ctx, ENDS_HOST);
    if (ends_join(client, server))
        for (int turns = 0; !arrived && turns < 10; turns++) {
            (void)SSL_write(client, &byte, 1);
            arrived = SSL_read(server, &got, 1) == 1;
        }
    (void)printf("%s", arrived ? "arrived" : "nothing");
    SSL_free(client);
    SSL_free(server);
    ERR_clear_error();
}

/* A server that asks for another group first (RFC 8446 section 4.1.4). */
static void retrying(void)
{
    SSL_CTX *ctx = ends_client(), *far = ends_server("api", 0);
    SSL *client = NULL, *server = NULL;

    if (ctx != NULL && far != NULL) {
        (void)SSL_CTX_set1_groups_list(ctx, "X25519:P-256");
        (void)SSL_CTX_set1_groups_list(far, "P-256");
    }
    client = ends_connecting(ctx, ENDS_HOST);
    server = ends_accepting(far);
    (void)printf("%s", ends_meet(client, server));
    SSL_free(server);
    finish(client);
}

/* DANE-EE of the leaf's key (RFC 6698), which is right or wrong. */
static void dane(bool right)
{
    SSL_CTX *ctx = ends_client();
    SSL *client = NULL, *server = ends_accepting(ends_server("api", 0));
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    X509 *leaf = server != NULL ? SSL_get_certificate(server) : NULL;

    if (ctx != NULL)
        (void)SSL_CTX_dane_enable(ctx);
    client = ends_connecting(ctx, ENDS_HOST);
    if (client == NULL || leaf == NULL || X509_digest(leaf, EVP_sha256(), digest, &length) != 1)
        return;
    digest[0] ^= !right;
    (void)SSL_dane_enable(client, ENDS_HOST);
    (void)SSL_dane_tlsa_add(client, 3, 0, 1, digest, length);
    (void)printf("%s", ends_meet(client, server));
    SSL_free(server);
    finish(client);
}

static void dane_right(void)
{
    dane(true);
}

static void dane_wrong(void)
{
    dane(false);
}

static void *visit_once(void *arg)
{
    finish(meet(ends_client(), "api"));
    return arg;
}

/* A thread of a program that counts its bytes meets the server just as the policy has changed. */
static void small_thread(void)
{
    const struct timespec look = {.tv_sec = 1, .tv_nsec = 100000000};
    const char *policy = getenv("TRUSTGRAFT_POLICY");
    pthread_attr_t attributes;
    pthread_t thread;

    visit_once(NULL);
    (void)nanosleep(&look, NULL);
    if (policy != NULL)
        (void)utimensat(AT_FDCWD, policy, NULL, 0);
    if (pthread_attr_init(&attributes) == 0 &&
        pthread_attr_setstacksize(&attributes, 24 * 1024) == 0 &&
        pthread_create(&thread, &attributes, visit_once, NULL) == 0)
        (void)pthread_join(thread, NULL);
}

static const struct ends_scenario scenarios[] = {
    {"collecting", collecting},
    {"looking-later", looking_later},
    {"by-hand", by_hand},
    {"other-context", other_context},
    {"sharing", sharing},
    {"serving", serving},
    {"renegotiating", renegotiating},
    {"renegotiating-own", renegotiating_own},
    {"last-moment-1.2", last_moment_2},
    {"last-moment-1.3", last_moment_3},
    {"writing-first", writing_first},
    {"retrying", retrying},
    {"dane-right", dane_right},
    {"dane-wrong", dane_wrong},
    {"small-thread", small_thread},
};

int main(int argc, char **argv)
{
    int status = ends_main(argc, argv, scenarios, sizeof(scenarios) / sizeof(scenarios[0]));

    ends_print_queue();
    (void)puts("");
    return status;
}
