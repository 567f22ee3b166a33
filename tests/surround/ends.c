#include "ends.h"
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static char folder[4096];
static bool trust;

void ends_setup(const char *pki, bool trusting)
{
    (void)snprintf(folder, sizeof(folder), "%s", pki);
    trust = trusting;
}

const char *ends_file(const char *file)
{
    static _Thread_local char path[sizeof(folder) + 64];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, file);
    return path;
}

static bool identify(SSL_CTX *ctx, const char *leaf)
{
    char chain[64], key[64];

    (void)snprintf(chain, sizeof(chain), "%s.chain.pem", leaf);
    (void)snprintf(key, sizeof(key), "%s.key", leaf);
    return SSL_CTX_use_certificate_chain_file(ctx, ends_file(chain)) == 1 &&
           SSL_CTX_use_PrivateKey_file(ctx, ends_file(key), SSL_FILETYPE_PEM) == 1;
}

SSL_CTX *ends_server(const char *leaf, int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (ctx != NULL && identify(ctx, leaf) && SSL_CTX_set_max_proto_version(ctx, version) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

SSL_CTX *ends_client(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (ctx == NULL)
        return NULL;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (!trust || SSL_CTX_load_verify_locations(ctx, ends_file("root.pem"), NULL) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

SSL *ends_accepting(SSL_CTX *ctx)
{
    SSL *ssl = ctx != NULL ? SSL_new(ctx) : NULL;

    SSL_CTX_free(ctx);
    if (ssl != NULL)
        SSL_set_accept_state(ssl);
    return ssl;
}

SSL *ends_connecting(SSL_CTX *ctx, const char *host)
{
    SSL *ssl = ctx != NULL ? SSL_new(ctx) : NULL;

    SSL_CTX_free(ctx);
    if (ssl != NULL) {
        SSL_set_connect_state(ssl);
        (void)SSL_set_tlsext_host_name(ssl, host);
    }
    return ssl;
}

static unsigned client_key(SSL *ssl, const char *hint, char *name, unsigned most,
                           unsigned char *key, unsigned size)
{
    (void)ssl, (void)hint, (void)size;
    (void)snprintf(name, most, "me");
    memset(key, 1, 16);
    return 16;
}

static unsigned server_key(SSL *ssl, const char *name, unsigned char *key, unsigned size)
{
    (void)ssl, (void)name, (void)size;
    memset(key, 1, 16);
    return 16;
}

void ends_by_key(SSL **client, SSL **server, int version)
{
    SSL_CTX *near = ends_client(), *far = ends_server("api", 0);

    SSL_CTX_set_psk_client_callback(near, client_key);
    SSL_CTX_set_psk_server_callback(far, server_key);
    for (int i = 0; i < 2; i++) {
        SSL_CTX *ctx = i == 0 ? near : far;

        (void)SSL_CTX_set_max_proto_version(ctx, version);
        (void)SSL_CTX_set_cipher_list(ctx, "PSK");
        (void)SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256"); /* that the key is for */
    }
    *client = ends_connecting(near, ENDS_HOST);
    *server = ends_accepting(far);
}

bool ends_join(SSL *client, SSL *server)
{
    BIO *near = NULL, *far = NULL;

    if (client == NULL || server == NULL || BIO_new_bio_pair(&near, 0, &far, 0) != 1)
        return false;
    SSL_set_bio(client, near, near);
    SSL_set_bio(server, far, far);
    return true;
}

static bool failed(SSL *ssl, int result)
{
    return result != 1 && SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ &&
           SSL_get_error(ssl, result) != SSL_ERROR_WANT_WRITE;
}

/* Where sockets are between the two, what one has sent is at the other's soon, and not at once. */
static void wait_for_either(SSL *client, SSL *server)
{
    struct pollfd ends[] = {{.fd = SSL_get_fd(client), .events = POLLIN},
                            {.fd = SSL_get_fd(server), .events = POLLIN}};

    if (ends[0].fd >= 0 && ends[1].fd >= 0)
        (void)poll(ends, 2, 60000);
}

bool ends_shake(SSL *client, SSL *server)
{
    for (int turns = 0; turns < 50; turns++) {
        int mine = SSL_do_handshake(client), theirs = 0;

        if (failed(client, mine))
            return false;
        theirs = SSL_do_handshake(server);
        if (mine == 1 && theirs == 1)
            return true;
        /* What the server says of it is not the client's: one queue serves both here. */
        if (failed(server, theirs))
            return false;
        wait_for_either(client, server);
    }
    return false;
}

bool ends_pass(SSL *from, SSL *to)
{
    char sent = 'x', got = 0;

    return SSL_write(from, &sent, 1) == 1 && SSL_read(to, &got, 1) == 1 && got == sent;
}

const char *ends_meet(SSL *client, SSL *server)
{
    bool met = ends_join(client, server) && ends_shake(client, server) &&
               ends_pass(client, server) && ends_pass(server, client);

    return met ? "through" : "stopped";
}

void ends_print_queue(void)
{
    unsigned long error = 0;

    (void)printf(" queue");
    while ((error = ERR_get_error()) != 0)
        (void)printf(":%d", ERR_GET_REASON(error));
}

int ends_main(int argc, char **argv, const struct ends_scenario *scenarios, size_t count)
{
    if (argc != 4)
        return 2;
    ends_setup(argv[2], strcmp(argv[3], "trusting") == 0);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(scenarios[i].name, argv[1]) != 0)
            continue;
        scenarios[i].run();
        return 0;
    }
    return 2;
}
