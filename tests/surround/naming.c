/*
 * naming.c - naming SCENARIO PKI trusting|trustless: clients that send one name, and have their
 * library verify ENDS_HOST by other ways than to say so at first. Prints what came of it.
 */
#include "ends.h"
#include <openssl/x509v3.h>
#include <stdio.h>

#define SENT "sent.example.test"

static SSL *connecting(SSL_CTX *ctx)
{
    return ends_connecting(ctx, SENT);
}

static void meet(SSL *client)
{
    SSL *server = ends_accepting(ends_server("api", 0));

    (void)printf("%s", ends_meet(client, server));
    SSL_free(server);
    SSL_free(client);
}

static void set_name(X509_STORE *store)
{
    (void)X509_VERIFY_PARAM_set1_host(X509_STORE_get0_param(store), ENDS_HOST, 0);
}

static void store(void)
{
    SSL_CTX *ctx = ends_client();

    if (ctx != NULL)
        set_name(SSL_CTX_get_cert_store(ctx));
    meet(connecting(ctx));
}

/* A store that is for verifying the peer alone. */
static void own_store(void)
{
    SSL_CTX *ctx = ends_client();
    X509_STORE *own = X509_STORE_new();
    SSL *client = NULL;

    if (ctx == NULL || own == NULL)
        return;
    if (X509_STORE_get0_objects(SSL_CTX_get_cert_store(ctx)) != NULL &&
        sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(ctx))) > 0)
        (void)X509_STORE_load_locations(own, ends_file("root.pem"), NULL);
    set_name(own);
    client = connecting(ctx);
    if (client != NULL)
        (void)SSL_set0_verify_cert_store(client, own);
    meet(client);
}

/* The store names another host, and the connection's own name counts in its place. */
static void replaced(void)
{
    SSL_CTX *ctx = ends_client();
    SSL *client = NULL;

    if (ctx != NULL)
        (void)X509_VERIFY_PARAM_set1_host(X509_STORE_get0_param(SSL_CTX_get_cert_store(ctx)),
                                          "other.example.test", 0);
    client = connecting(ctx);
    if (client != NULL)
        (void)SSL_set1_host(client, ENDS_HOST);
    meet(client);
}

/* Between the ClientHello and the certificate. */
static void late(void)
{
    SSL *client = connecting(ends_client()), *server = ends_accepting(ends_server("api", 0));
    bool met = ends_join(client, server) && SSL_do_handshake(client) != 1 &&
               SSL_set1_host(client, ENDS_HOST) == 1 && ends_shake(client, server) &&
               ends_pass(client, server) && ends_pass(server, client);

    (void)printf("%s", met ? "through" : "stopped");
    SSL_free(server);
    SSL_free(client);
}

static void verify_at_start(const SSL *ssl, int where, int value)
{
    (void)value;
    if (where & SSL_CB_HANDSHAKE_START)
        (void)SSL_set1_host((SSL *)ssl, ENDS_HOST);
}

static void send_at_start(const SSL *ssl, int where, int value)
{
    (void)value;
    if (where & SSL_CB_HANDSHAKE_START)
        (void)SSL_set_tlsext_host_name((SSL *)ssl, ENDS_HOST);
}

static void told(void (*callback)(const SSL *, int, int))
{
    SSL *client = connecting(ends_client());

    if (client != NULL)
        SSL_set_info_callback(client, callback);
    meet(client);
}

static void told_to_verify(void)
{
    told(verify_at_start);
}

static void told_to_send(void)
{
    told(send_at_start);
}

static void told_of_context(void)
{
    SSL_CTX *ctx = ends_client();

    if (ctx != NULL)
        SSL_CTX_set_info_callback(ctx, verify_at_start);
    meet(connecting(ctx));
}

static const struct ends_scenario scenarios[] = {
    {"store", store},
    {"own-store", own_store},
    {"replaced", replaced},
    {"late", late},
    {"told-to-verify", told_to_verify},
    {"told-to-send", told_to_send},
    {"told-of-context", told_of_context},
};

int main(int argc, char **argv)
{
    int status = ends_main(argc, argv, scenarios, sizeof(scenarios) / sizeof(scenarios[0]));

    (void)puts("");
    return status;
}
