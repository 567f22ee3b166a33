/*
 * bios.c - bios SCENARIO PKI trusting|trustless: clients that do with their own BIOs what they may:
 * copy them, take them away, free them elsewhere, use them again.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* callbacks of the old form */
#include "ends.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int told, told_old;

static long own(BIO *bio, int operation, const char *data, size_t length, int argument, long more,
                int returned, size_t *moved)
{
    (void)bio, (void)data, (void)length, (void)argument, (void)more, (void)moved;
    told += operation == BIO_CB_WRITE || operation == BIO_CB_READ;
    return returned;
}

/* It hears of the length in its argument, and of what was moved in its result. */
static long own_old(BIO *bio, int operation, const char *data, int argument, long more,
                    long returned)
{
    (void)bio, (void)more;
    if (operation == BIO_CB_WRITE && data != NULL && argument > 0 && returned == 1)
        told_old++;
    if (operation == (BIO_CB_WRITE | BIO_CB_RETURN) && returned > argument)
        told_old = -1000;
    return returned;
}

/* A client that has sent its ClientHello into memory. */
static SSL *begin(BIO **out)
{
    SSL *client = ends_connecting(ends_client(), ENDS_HOST);

    *out = BIO_new(BIO_s_mem());
    SSL_set_bio(client, BIO_new(BIO_s_mem()), *out);
    (void)SSL_do_handshake(client);
    return client;
}

static void use(const char *what, BIO *bio)
{
    char byte = 'x';
    int took = BIO_write(bio, &byte, 1);

    (void)BIO_reset(bio);
    (void)printf("%s took %d, ", what, took);
}

/* Copies outlive the connection, or don't; each has the callback that the original had. */
static void duplicated(void)
{
    for (int i = 0; i < 4; i++) {
        BIO *out = NULL, *copy = NULL, *second = NULL;
        SSL *client = NULL;

        client = begin(&out);
        if (i % 2 == 1) {
            BIO_set_callback_ex(out, own);
            (void)SSL_clear(client);
            (void)SSL_do_handshake(client);
        }
        copy = BIO_dup_chain(out);
        if (i >= 2)
            SSL_free(client);
        use("copy", copy);
        second = BIO_dup_chain(copy);
        BIO_free_all(copy);
        use("its copy", second);
        (void)printf("%s; ", BIO_get_callback_ex(second) == (i % 2 == 1 ? own : NULL) ? "as it was"
                                                                                      : "changed");
        BIO_free_all(second);
        if (i < 2)
            SSL_free(client);
    }
}

static bool destroyed;

static int destroy(BIO *bio)
{
    char *works_with = BIO_get_data(bio);

    destroyed = works_with[0] == 'w';
    return 1;
}

static int create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static int put(BIO *bio, const char *data, int length)
{
    (void)bio, (void)data;
    return length;
}

static int take(BIO *bio, char *data, int length)
{
    (void)data, (void)length;
    BIO_set_retry_read(bio);
    return -1;
}

static long control(BIO *bio, int command, long number, void *more)
{
    (void)bio, (void)number, (void)more;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "own");

    (void)BIO_meth_set_write(made, put);
    (void)BIO_meth_set_read(made, take);
    (void)BIO_meth_set_ctrl(made, control);
    (void)BIO_meth_set_create(made, create);
    (void)BIO_meth_set_destroy(made, destroy);
    return made;
}

/* What a BIO works with may go as soon as libssl let go of the BIO. */
static void let_go(void)
{
    SSL *client = ends_connecting(ends_client(), ENDS_HOST);
    BIO_METHOD *made = method();
    BIO *bio = BIO_new(made);
    char *works_with = strdup("works");

    BIO_set_data(bio, works_with);
    SSL_set_bio(client, bio, bio);
    (void)SSL_do_handshake(client);
    SSL_set_bio(client, NULL, NULL);
    free(works_with);
    (void)printf("destroyed %s", destroyed ? "at once" : "too late");
    SSL_free(client);
    BIO_meth_free(made);
}

static void *free_bio(void *bio)
{
    char byte = 'x';

    (void)BIO_write(bio, &byte, 1);
    BIO_free(bio);
    return NULL;
}

/* The connection goes in one thread, and its former BIO in another, at the same time. */
static void elsewhere(void)
{
    for (int i = 0; i < 300; i++) {
        BIO *out = NULL;
        SSL *client = begin(&out);
        pthread_t thread;

        if (BIO_up_ref(out) != 1)
            return;
        SSL_set_bio(client, NULL, NULL);
        if (pthread_create(&thread, NULL, free_bio, out) != 0)
            return;
        SSL_free(client);
        (void)pthread_join(thread, NULL);
    }
    (void)printf("done");
}

/* One BIO under two connections, of which the first goes while the second is at it. */
static void two_connections(void)
{
    BIO *out = NULL;
    SSL *first = begin(&out), *second = ends_connecting(ends_client(), ENDS_HOST);

    (void)BIO_up_ref(out);
    BIO_set_callback_ex(out, own);
    SSL_set_bio(second, BIO_new(BIO_s_mem()), out);
    (void)SSL_do_handshake(second);
    SSL_free(first);
    use("after the first", SSL_get_wbio(second));
    (void)BIO_up_ref(out);
    SSL_free(second);
    use("after the second", out);
    (void)printf("%s", BIO_get_callback_ex(out) == own ? "as it was" : "changed");
    BIO_free(out);
}

static void old_form(void)
{
    SSL *client = ends_connecting(ends_client(), ENDS_HOST);
    SSL *server = ends_accepting(ends_server("api", 0));
    bool through;

    if (!ends_join(client, server))
        return;
    BIO_set_callback(SSL_get_wbio(client), own_old);
    through = ends_shake(client, server) && ends_pass(client, server) && ends_pass(server, client);
    (void)printf("%s, told of %s", through ? "through" : "stopped",
                 told_old > 1 ? "everything" : "nothing");
    SSL_free(client);
    SSL_free(server);
}

static void say_after(const char *when, BIO *bio)
{
    char byte = 'x';
    int took = BIO_write(bio, &byte, 1);

    (void)printf("%s: %d %s; ", when, took,
                 BIO_get_callback_ex(bio) == own ? "as it was" : "changed");
}

/* Its BIO is the application's again once it is taken away from the connection, or that is freed.
 */
static void after_refusal(void)
{
    for (int i = 0; i < 2; i++) {
        SSL *client = NULL, *server = NULL;
        BIO *bio = NULL;

        ends_by_key(&client, &server, TLS1_2_VERSION);
        if (!ends_join(client, server))
            return;
        bio = SSL_get_wbio(client);
        BIO_set_callback_ex(bio, own);
        (void)BIO_up_ref(bio);
        (void)ends_shake(client, server);
        SSL_set_shutdown(client, 0);
        (void)printf("%s, ", ends_pass(client, server) || ends_pass(server, client) ? "through"
                                                                                    : "stopped");
        if (i == 0)
            SSL_free(client);
        else
            SSL_set_bio(client, NULL, NULL);
        say_after(i == 0 ? "freed" : "taken away", bio);
        if (i == 1)
            SSL_free(client);
        BIO_free(bio);
        SSL_free(server);
    }
}

/* SSL_clear(3): the connection is used once more, over the same BIO, for another host. */
static void again(void)
{
    SSL *client = NULL, *server = NULL;

    ends_by_key(&client, &server, TLS1_2_VERSION);
    if (!ends_join(client, server))
        return;
    (void)printf("%s, ",
                 ends_shake(client, server) && ends_pass(server, client) ? "through" : "stopped");
    (void)BIO_reset(SSL_get_wbio(client));
    (void)BIO_reset(SSL_get_wbio(server));
    (void)SSL_clear(client);
    (void)SSL_clear(server);
    (void)SSL_set_tlsext_host_name(client, "third.test");
    (void)printf("%s",
                 ends_shake(client, server) && ends_pass(server, client) ? "through" : "stopped");
    SSL_free(client);
    SSL_free(server);
}

static int trusting(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static void information(const SSL *ssl, int where, int value)
{
    (void)ssl, (void)where, (void)value;
}

/* All callbacks are replaced behind the ClientHello. */
static void replaced(int version)
{
    SSL_CTX *ctx = ends_client();
    SSL *client = NULL, *server = ends_accepting(ends_server("api", version));

    (void)SSL_CTX_up_ref(ctx);
    client = ends_connecting(ctx, ENDS_HOST);
    if (!ends_join(client, server))
        return;
    (void)SSL_do_handshake(client);
    SSL_CTX_set_cert_verify_callback(ctx, trusting, NULL);
    SSL_set_info_callback(client, information);
    BIO_set_callback_ex(SSL_get_rbio(client), own);
    (void)printf("%s",
                 ends_shake(client, server) && ends_pass(server, client) ? "through" : "stopped");
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(ctx);
}

static void put_before(SSL *client, BIO *filter)
{
    BIO *bio = SSL_get_rbio(client);

    (void)BIO_up_ref(bio);
    filter = BIO_push(filter, bio);
    (void)BIO_up_ref(filter);
    SSL_set_bio(client, filter, filter);
}

/* The same where no certificate is there to be verified, AFTER so many rounds of the handshake; and
 * maybe with another BIO. */
static void replaced_key(int version, int after, BIO *filter)
{
    SSL *client = NULL, *server = NULL;

    ends_by_key(&client, &server, version);
    if (!ends_join(client, server))
        return;
    (void)SSL_do_handshake(client);
    for (int i = 0; i < after; i++) {
        (void)SSL_do_handshake(server);
        (void)SSL_do_handshake(client);
    }
    SSL_set_info_callback(client, information);
    BIO_set_callback_ex(SSL_get_rbio(client), own);
    if (filter != NULL)
        put_before(client, filter);
    (void)printf("%s, ",
                 ends_shake(client, server) && ends_pass(server, client) ? "through" : "stopped");
    SSL_free(client);
    SSL_free(server);
}

static void replaced_key_1_2(void)
{
    replaced_key(TLS1_2_VERSION, 0, NULL);
    replaced_key(TLS1_2_VERSION, 1, NULL);
    replaced_key(TLS1_2_VERSION, 1, BIO_new(BIO_f_null()));
}

static void replaced_key_1_3(void)
{
    replaced_key(0, 0, NULL);
    replaced_key(0, 0, BIO_new(BIO_f_null()));
}

static void replaced_1_2(void)
{
    replaced(TLS1_2_VERSION);
}

static void replaced_1_3(void)
{
    replaced(0);
}

static const struct ends_scenario scenarios[] = {
    {"duplicated", duplicated},
    {"let-go", let_go},
    {"elsewhere", elsewhere},
    {"two-connections", two_connections},
    {"old-form", old_form},
    {"after-refusal", after_refusal},
    {"again", again},
    {"replaced-1.2", replaced_1_2},
    {"replaced-1.3", replaced_1_3},
    {"replaced-key-1.2", replaced_key_1_2},
    {"replaced-key-1.3", replaced_key_1_3},
};

int main(int argc, char **argv)
{
    int status = ends_main(argc, argv, scenarios, sizeof(scenarios) / sizeof(scenarios[0]));

    (void)puts("");
    return status;
}
