#include "pair.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[4096];
static bool trust;

const char *outcome_word(enum outcome outcome)
{
    static const char *const words[] = {
        [ACCEPTED] = "accepted", [REFUSED] = "refused", [BROKEN] = "broken"};

    return words[outcome];
}

void pair_setup(const char *pki, bool trusting)
{
    (void)snprintf(folder, sizeof(folder), "%s", pki);
    trust = trusting;
}

static const char *file(const char *name)
{
    static _Thread_local char path[sizeof(folder) + 64];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

bool pair_prepare(SSL_CTX *ctx)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return !trust || SSL_CTX_load_verify_locations(ctx, file("root.pem"), NULL) == 1;
}

SSL_CTX *pair_client(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (ctx != NULL && pair_prepare(ctx))
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

static SSL *server(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL *ssl = NULL;

    if (ctx != NULL && SSL_CTX_use_certificate_chain_file(ctx, file("api.chain.pem")) == 1 &&
        SSL_CTX_use_PrivateKey_file(ctx, file("api.key"), SSL_FILETYPE_PEM) == 1)
        ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    if (ssl != NULL)
        SSL_set_accept_state(ssl);
    return ssl;
}

SSL *pair_connection(SSL_CTX *ctx)
{
    SSL *ssl = ctx != NULL ? SSL_new(ctx) : NULL;

    if (ssl == NULL)
        return NULL;
    SSL_set_connect_state(ssl);
    if (SSL_set_tlsext_host_name(ssl, PAIR_HOST) == 1)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

/* Drives both ends until neither gets further; true once both are through. */
static bool shake(SSL *client, SSL *peer)
{
    for (int turns = 0; turns < 50; turns++) {
        int mine = SSL_do_handshake(client);
        int theirs = SSL_do_handshake(peer);

        if (mine == 1 && theirs == 1)
            return true;
        if ((mine != 1 && SSL_get_error(client, mine) == SSL_ERROR_SSL) ||
            (theirs != 1 && SSL_get_error(peer, theirs) == SSL_ERROR_SSL))
            return false;
    }
    return false;
}

enum outcome pair_connect(SSL *client)
{
    SSL *peer = client != NULL ? server() : NULL;
    BIO *near = NULL, *far = NULL;
    enum outcome outcome = REFUSED;
    char byte = 'x', got = 0;

    if (peer == NULL || BIO_new_bio_pair(&near, 0, &far, 0) != 1) {
        SSL_free(client);
        SSL_free(peer);
        return REFUSED;
    }
    SSL_set_bio(client, near, near);
    SSL_set_bio(peer, far, far);
    /* The gate may refuse after the handshake: what counts is whether data gets through. */
    if (shake(client, peer) && SSL_write(client, &byte, 1) == 1 && SSL_read(peer, &got, 1) == 1)
        outcome = got == byte ? ACCEPTED : BROKEN;
    SSL_free(client);
    SSL_free(peer);
    return outcome;
}

enum outcome pair_connect_fd(SSL_CTX *ctx, int fd)
{
    SSL *client = ctx != NULL ? SSL_new(ctx) : NULL;
    enum outcome outcome = REFUSED;
    char byte = 0;

    if (client != NULL && SSL_set_fd(client, fd) == 1 && SSL_connect(client) == 1 &&
        SSL_read(client, &byte, 1) == 1)
        outcome = byte == 'x' ? ACCEPTED : BROKEN;
    SSL_free(client);
    return outcome;
}

void pair_serve(int fd)
{
    SSL *peer = server();

    if (peer != NULL && SSL_set_fd(peer, fd) == 1 && SSL_accept(peer) == 1)
        (void)SSL_write(peer, "x", 1);
    SSL_free(peer);
}

enum outcome pair_once(void)
{
    SSL_CTX *ctx = pair_client();
    enum outcome outcome = pair_connect(pair_connection(ctx));

    SSL_CTX_free(ctx);
    return outcome;
}
