/*
 * callbacks.c - callbacks SCENARIO PKI trusting|trustless: clients with callbacks of their own,
 * which pass on what they hear to whoever was there before, or forgive what a verification found.
 */
#include "ends.h"
#include <openssl/provider.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

/* Whoever calls itself by way of another never comes back. */
#define DEEPEST 20

static int deep, deepest;

static bool enter(void)
{
    deep++;
    if (deep > deepest)
        deepest = deep;
    return deep <= DEEPEST;
}

static void report(SSL *client, const char *met)
{
    (void)printf("%s%s", met, deepest > DEEPEST ? ", for ever" : "");
    SSL_free(client);
}

static void (*former)(const SSL *, int, int);

static void pass_on(const SSL *ssl, int where, int value)
{
    if (enter() && former != NULL)
        former(ssl, where, value);
    deep--;
}

static SSL *connecting(SSL_CTX *ctx, SSL **server)
{
    *server = ends_accepting(ends_server("api", 0));
    return ends_connecting(ctx, ENDS_HOST);
}

static void meet(SSL_CTX *ctx)
{
    SSL *server = NULL, *client = connecting(ctx, &server);

    report(client, ends_meet(client, server));
    SSL_free(server);
}

static void info_of_context(void)
{
    SSL_CTX *ctx = ends_client();

    if (ctx == NULL)
        return;
    former = SSL_CTX_get_info_callback(ctx);
    SSL_CTX_set_info_callback(ctx, pass_on);
    meet(ctx);
}

static void info_of_connection(void)
{
    SSL *server = NULL, *client = connecting(ends_client(), &server);

    if (client == NULL)
        return;
    former = SSL_get_info_callback(client);
    SSL_set_info_callback(client, pass_on);
    report(client, ends_meet(client, server));
    SSL_free(server);
}

static BIO_callback_fn_ex former_of_bio;

static long pass_on_bio(BIO *bio, int operation, const char *data, size_t length, int argument,
                        long more, int returned, size_t *done)
{
    if (enter() && former_of_bio != NULL)
        returned = (int)former_of_bio(bio, operation, data, length, argument, more, returned, done);
    deep--;
    return returned;
}

static bool renegotiate(SSL *client, SSL *server)
{
    bool begun = SSL_renegotiate(server) == 1 && SSL_do_handshake(server) == 1;
    char byte;

    for (int i = 0; begun && i < 10; i++) {
        (void)SSL_read(client, &byte, 1);
        (void)SSL_read(server, &byte, 1);
    }
    return begun && ends_pass(client, server) && ends_pass(server, client);
}

/* From the middle of the first handshake on, and through another. */
static void wire(void)
{
    SSL_CTX *ctx = ends_client();
    SSL *server = ends_accepting(ends_server("api", TLS1_2_VERSION)), *client = NULL;
    bool met = false;

    client = ends_connecting(ctx, ENDS_HOST);
    if (!ends_join(client, server))
        return;
    (void)SSL_do_handshake(client);
    former_of_bio = BIO_get_callback_ex(SSL_get_rbio(client));
    BIO_set_callback_ex(SSL_get_rbio(client), pass_on_bio);
    met = ends_shake(client, server) && renegotiate(client, server);
    report(client, met ? "through" : "stopped");
    SSL_free(server);
}

static int forgive(int verified, X509_STORE_CTX *store)
{
    (void)verified, (void)store;
    return 1;
}

/* The name is wrong, which the application doesn't mind. */
static void forgiving(void)
{
    SSL_CTX *ctx = ends_client();
    SSL *server = NULL, *client = NULL;

    if (ctx != NULL)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, forgive);
    client = connecting(ctx, &server);
    if (client != NULL && SSL_set1_host(client, "another.example.test") == 1)
        report(client, ends_meet(client, server));
    SSL_free(server);
}

static int verify(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    return X509_verify_cert(store);
}

static void verifying(void)
{
    SSL_CTX *ctx = ends_client();

    if (ctx != NULL)
        SSL_CTX_set_cert_verify_callback(ctx, verify, NULL);
    meet(ctx);
}

/* The subject counts beside the names, of which a CA permits none like it. */
static void subject(void)
{
    SSL *server = ends_accepting(ends_server("not-permitted-subject", 0));
    SSL *client = ends_connecting(ends_client(), ENDS_HOST);

    if (client == NULL)
        return;
    SSL_set_hostflags(client, X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT);
    if (SSL_set1_host(client, ENDS_HOST) == 1)
        report(client, ends_meet(client, server));
    SSL_free(server);
}

/* One connection to two hosts, one after the other, without a verification. */
static void again(void)
{
    SSL_CTX *ctx = ends_client();
    SSL *client = NULL, *server = NULL;

    if (ctx != NULL)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    client = connecting(ctx, &server);
    (void)printf("%s, ", ends_meet(client, server));
    SSL_free(server);
    if (client == NULL || SSL_clear(client) != 1)
        return;
    SSL_set_connect_state(client);
    (void)SSL_set_tlsext_host_name(client, "another.example.test");
    server = ends_accepting(ends_server("api-other", 0));
    report(client, ends_meet(client, server));
    SSL_free(server);
}

static void ignore(const SSL *ssl, int where, int value)
{
    (void)ssl, (void)where, (void)value;
}

static int replace_info(SSL *ssl, SSL_SESSION *session)
{
    (void)session;
    SSL_set_info_callback(ssl, ignore);
    return 0;
}

static int agree(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

/* The last that libssl calls before the handshake is done; then the socket gets a new BIO. */
static void behind_end(void)
{
    SSL_CTX *ctx = ends_client();
    SSL *client = NULL, *server = ends_accepting(ends_server("api", TLS1_2_VERSION));
    int ends[2];
    bool met = false;

    if (ctx == NULL || server == NULL ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0)
        return;
    SSL_CTX_set_cert_verify_callback(ctx, agree, NULL);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(ctx, replace_info);
    client = ends_connecting(ctx, ENDS_HOST);
    met = client != NULL && SSL_set_fd(client, ends[0]) == 1 && SSL_set_fd(server, ends[1]) == 1 &&
          ends_shake(client, server) && SSL_set_fd(client, ends[0]) == 1 &&
          ends_pass(server, client) && ends_pass(client, server);
    report(client, met ? "through" : "stopped");
    SSL_free(server);
}

static SSL *accept_with_short_key(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (ctx != NULL)
        SSL_CTX_set_security_level(ctx, 0);
    if (ctx == NULL ||
        SSL_CTX_use_certificate_chain_file(ctx, ends_file("weak-key.chain.pem")) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, ends_file("weak-key.key"), SSL_FILETYPE_PEM) != 1)
        abort();
    return ends_accepting(ctx);
}

/* One connection to two hosts, one after the other, of which the second has a short key. */
static void levels(void)
{
    SSL *server = NULL, *client = connecting(ends_client(), &server);
    int own = client != NULL ? SSL_get_security_level(client) : -1;

    (void)printf("%s, ", ends_meet(client, server));
    SSL_free(server);
    if (client == NULL || SSL_clear(client) != 1)
        return;
    SSL_set_connect_state(client);
    (void)SSL_set_tlsext_host_name(client, "another.example.test");
    server = accept_with_short_key();
    (void)printf("%s, ", ends_meet(client, server));
    report(client, SSL_get_security_level(client) == own ? "as before" : "another level");
    SSL_free(server);
}

static void *meet_aside(void *arg)
{
    meet(ends_client());
    return arg;
}

/* A library context of the application's own, configured as the first, is the thread's default. */
static void change_library(void)
{
    OSSL_LIB_CTX *own = OSSL_LIB_CTX_new();
    const char *settings = getenv("OPENSSL_CONF");
    pthread_t thread;

    if (own == NULL || OSSL_PROVIDER_load(own, "default") == NULL)
        return;
    if (settings != NULL)
        (void)OSSL_LIB_CTX_load_config(own, settings);
    (void)OSSL_LIB_CTX_set0_default(own);
    meet(ends_client());
    (void)printf(", ");
    if (pthread_create(&thread, NULL, meet_aside, NULL) == 0)
        (void)pthread_join(thread, NULL);
}

static void own_library_later(void)
{
    meet(ends_client());
    (void)printf(", ");
    change_library();
}

static void wait_for_look(void)
{
    const struct timespec look = {.tv_sec = 1, .tv_nsec = 100000000};

    (void)nanosleep(&look, NULL);
}

static void *end_early(void *arg)
{
    SSL *server = NULL, *client = connecting(ends_client(), &server);

    (void)pthread_cancel(pthread_self());
    report(client, ends_meet(client, server));
    SSL_free(server);
    return arg;
}

/* A thread is cancelled where it first meets the changed policy; another meets it later. */
static void cancelled(void)
{
    const char *policy = getenv("TRUSTGRAFT_POLICY");
    FILE *file = policy != NULL ? fopen(policy, "ae") : NULL;
    pthread_t thread;

    meet(ends_client());
    if (file != NULL)
        (void)fputs("[host " ENDS_HOST "]\naction = reject\n", file);
    if (file != NULL)
        (void)fclose(file);
    wait_for_look();
    (void)printf(", ");
    if (pthread_create(&thread, NULL, end_early, NULL) == 0)
        (void)pthread_join(thread, NULL);
    wait_for_look();
    (void)printf(", ");
    meet(ends_client());
}

static const struct ends_scenario scenarios[] = {
    {"info-of-context", info_of_context},
    {"info-of-connection", info_of_connection},
    {"wire", wire},
    {"forgiving", forgiving},
    {"verifying", verifying},
    {"subject", subject},
    {"again", again},
    {"behind-end", behind_end},
    {"levels", levels},
    {"own-library", change_library},
    {"own-library-later", own_library_later},
    {"cancelled", cancelled},
};

int main(int argc, char **argv)
{
    int status = ends_main(argc, argv, scenarios, sizeof(scenarios) / sizeof(scenarios[0]));

    (void)puts("");
    return status;
}
