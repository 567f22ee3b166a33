/*
 * libraries.c - libraries SCENARIO PKI trusting|trustless: the default library context of the
 * thread changes between two calls, and in the new one the program takes indexes of ex_data for
 * itself. What it keeps there must be found as it was, and a server is still judged.
 */
#include "ends.h"
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* More than there are before any that another may have been given. */
#define COUNT 10

static char mine[4096];
static int taken[COUNT];

static void take(int kind)
{
    memset(mine, 'A', sizeof(mine));
    for (int i = 0; i < COUNT; i++)
        taken[i] = CRYPTO_get_ex_new_index(kind, 0, NULL, NULL, NULL, NULL);
}

static bool is_untouched(void)
{
    for (size_t i = 0; i < sizeof(mine); i++)
        if (mine[i] != 'A')
            return false;
    return true;
}

static void change_library(void)
{
    OSSL_LIB_CTX *own = OSSL_LIB_CTX_new();

    if (own != NULL && OSSL_PROVIDER_load(own, "default") != NULL)
        (void)OSSL_LIB_CTX_set0_default(own);
}

static SSL *other_end(void)
{
    return ends_accepting(ends_server("api", 0));
}

/* The client goes first, and what the program kept with it. */
static void report(const char *met, bool kept, SSL *client, SSL *server)
{
    SSL_free(client);
    SSL_free(server);
    (void)printf("%s, %s", met, kept && is_untouched() ? "kept" : "overwritten");
}

static bool fill_connection(SSL *ssl)
{
    bool set = ssl != NULL;

    for (int i = 0; set && i < COUNT; i++)
        set = SSL_get_ex_data(ssl, taken[i]) == NULL && SSL_set_ex_data(ssl, taken[i], mine);
    return set;
}

static bool holds_connection(const SSL *ssl)
{
    bool held = ssl != NULL;

    for (int i = 0; held && i < COUNT; i++)
        held = SSL_get_ex_data(ssl, taken[i]) == mine;
    return held;
}

static void connection(void)
{
    SSL_CTX *ctx = ends_client();
    SSL *server = other_end(), *client = NULL;
    const char *met = "";
    bool filled;

    change_library();
    take(CRYPTO_EX_INDEX_SSL);
    client = ends_connecting(ctx, ENDS_HOST);
    filled = fill_connection(client);
    met = ends_meet(client, server);
    report(met, filled && holds_connection(client), client, server);
}

/* Its BIO comes from the new library context, but not the connection. */
static void bio(void)
{
    SSL *server = other_end(), *client = ends_connecting(ends_client(), ENDS_HOST);
    bool kept = true, met = false;
    BIO *near = NULL;

    change_library();
    take(CRYPTO_EX_INDEX_BIO);
    if (!ends_join(client, server))
        return;
    near = SSL_get_rbio(client);
    for (int i = 0; i < COUNT; i++)
        kept = kept && BIO_get_ex_data(near, taken[i]) == NULL &&
               BIO_set_ex_data(near, taken[i], mine);
    met = ends_shake(client, server) && ends_pass(client, server);
    for (int i = 0; i < COUNT; i++)
        kept = kept && BIO_get_ex_data(near, taken[i]) == mine;
    report(met ? "through" : "stopped", kept, client, server);
}

static int trust_all(X509_STORE_CTX *context, void *arg)
{
    (void)context, (void)arg;
    return 1;
}

static void hear_nothing(const SSL *ssl, int where, int value)
{
    (void)ssl, (void)where, (void)value;
}

static SSL *connect_by_itself(SSL_CTX *ctx)
{
    SSL *client = ends_connecting(ctx, ENDS_HOST);

    if (client != NULL)
        SSL_set_info_callback(client, hear_nothing);
    return client;
}

/* Both callbacks are its own, and the connection comes from another library context. */
static void late(void)
{
    SSL_CTX *ctx = ends_client();
    SSL *server = other_end(), *client = NULL;

    if (ctx != NULL)
        SSL_CTX_set_cert_verify_callback(ctx, trust_all, NULL);
    change_library();
    client = connect_by_itself(ctx);
    (void)printf("%s", ends_meet(client, server));
    SSL_free(client);
    SSL_free(server);
}

/* A context of its own, where all the indexes were taken before the configuration is read. */
static void context(void)
{
    const char *settings = getenv("OPENSSL_CONF");
    SSL *server = other_end(), *client = NULL;
    SSL_CTX *ctx = NULL;

    change_library();
    take(CRYPTO_EX_INDEX_SSL_CTX);
    if (settings != NULL)
        (void)printf("%s, ",
                     OSSL_LIB_CTX_load_config(NULL, settings) ? "configured" : "not configured");
    ctx = ends_client();
    for (int i = 0; ctx != NULL && i < COUNT; i++)
        (void)SSL_CTX_set_ex_data(ctx, taken[i], mine);
    if (ctx != NULL)
        SSL_CTX_set_cert_verify_callback(ctx, trust_all, NULL);
    client = connect_by_itself(ctx);
    report(ends_meet(client, server), true, client, server);
}

/* A few bytes with nothing behind them that could be read. */
static void *brink(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return pages != MAP_FAILED && munmap(pages + page, page) == 0 ? pages + page - sizeof(void *)
                                                                  : NULL;
}

/* A certificate is verified that is no connection's, by objects of the new library context. */
static void verification(void)
{
    X509_STORE_CTX *context = NULL;
    void *small = brink();
    bool kept = small != NULL;
    int index = 0, libssl = 0;

    SSL_CTX_free(ends_client());
    libssl = SSL_get_ex_data_X509_STORE_CTX_idx();
    change_library();
    SSL_CTX_free(ends_client());
    while (index >= 0 && index < libssl)
        index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE_CTX, 0, NULL, NULL, NULL, NULL);
    memset(mine, 'A', sizeof(mine));
    context = X509_STORE_CTX_new();
    kept = kept && context != NULL && X509_STORE_CTX_init(context, NULL, NULL, NULL);
    kept = kept && index == libssl && X509_STORE_CTX_set_ex_data(context, index, small);
    X509_STORE_CTX_free(context);
    report("through", kept, NULL, NULL);
}

static const struct ends_scenario scenarios[] = {
    {"connection", connection},     {"bio", bio}, {"late", late}, {"context", context},
    {"verification", verification},
};

int main(int argc, char **argv)
{
    int status = ends_main(argc, argv, scenarios, sizeof(scenarios) / sizeof(scenarios[0]));

    (void)puts("");
    return status;
}
