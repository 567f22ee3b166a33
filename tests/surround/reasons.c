/*
 * reasons.c - reasons SCENARIO PKI trusting|trustless: a client asks its library of errors, of a
 * server that a policy refuses, and of others that fail by themselves with the same code. Prints a
 * word for each answer: whether it names the policy, or has its finding in brief.
 */
#include "ends.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const char *word(const char *text)
{
    if (text == NULL || strstr(text, "trustgraft: ") == NULL)
        return "plain";
    return strstr(text, "trustgraft: refused by ") != NULL ? "named" : "brief";
}

/* The same of libssl's error, whichever connection it is of. */
static const char *words_for_refusal(void)
{
    return word(ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_CERTIFICATE_VERIFY_FAILED)));
}

/* A connection to HOST, which comes to nothing; the error queue is left as it is then. */
static SSL *fail(const char *host)
{
    SSL *client = ends_connecting(ends_client(), host);
    SSL *server = ends_accepting(ends_server("api", 0));

    ERR_clear_error();
    (void)ends_join(client, server);
    (void)ends_shake(client, server);
    SSL_free(server);
    return client;
}

static const char *ask(const SSL *ssl)
{
    return X509_verify_cert_error_string(SSL_get_verify_result(ssl));
}

/* The text of an error belongs to the connection that was asked of, once. */
static void connection(void)
{
    SSL *refused = fail(ENDS_HOST), *own = NULL;
    long code = SSL_get_verify_result(refused);
    const char *first = X509_verify_cert_error_string(code);
    char kept[512];

    (void)snprintf(kept, sizeof(kept), "%s", first);
    (void)printf("%ld: %s %s", code, word(first), word(X509_verify_cert_error_string(code)));
    own = fail("own.example.test");
    (void)printf(", %ld: %s", SSL_get_verify_result(own), word(ask(own)));
    (void)printf(", again %s %s, own %s", word(ask(refused)),
                 ask(refused) == first && strcmp(first, kept) == 0 ? "same" : "different",
                 word(ask(own)));
    SSL_free(refused);
    SSL_free(own);
}

/* An error on the queue tells it once, and one of another connection doesn't. */
static void queue(void)
{
    struct {
        char text[120], behind[8];
    } room = {.behind = "behind"};
    SSL *refused = fail(ENDS_HOST), *own = NULL;
    unsigned long code = ERR_get_error();
    const char *first = word(ERR_reason_error_string(code)),
               *second = word(ERR_reason_error_string(code));

    SSL_free(refused);
    (void)printf("%s %s", first, second);
    refused = fail(ENDS_HOST);
    first = word(ERR_error_string(ERR_peek_last_error(), room.text));
    (void)printf(", %s %s", first, strcmp(room.behind, "behind") == 0 ? "within" : "BEYOND");
    SSL_free(refused);
    refused = fail(ENDS_HOST);
    own = fail("own.example.test");
    (void)printf(", own %s", word(ERR_reason_error_string(ERR_peek_last_error())));
    SSL_free(refused);
    SSL_free(own);
}

/* Who has read the data of the error isn't told it twice. */
static void data(void)
{
    SSL *refused = fail(ENDS_HOST);
    const char *text = NULL;
    int flags = 0;
    unsigned long code = ERR_peek_error_data(&text, &flags);

    (void)printf("%s, %s", text != NULL && strncmp(text, "trustgraft: ", 12) == 0 ? "data" : "none",
                 word(ERR_reason_error_string(code)));
    SSL_free(refused);
}

static void *elsewhere(void *refused)
{
    const char *plain = word(X509_verify_cert_error_string(SSL_get_verify_result(refused)));

    (void)printf(", thread %s %s", plain, words_for_refusal());
    return NULL;
}

/* Another thread has another queue; but it may ask of the connection. */
static void thread(void)
{
    SSL *refused = fail(ENDS_HOST);
    pthread_t other;

    (void)printf("here %s", word(ask(refused)));
    if (pthread_create(&other, NULL, elsewhere, refused) == 0)
        (void)pthread_join(other, NULL);
    SSL_free(refused);
}

/* What X509_verify_cert comes to for the leaf FILE, where nothing is trusted. */
static int verify_apart(const char *file)
{
    BIO *in = BIO_new_file(ends_file(file), "r");
    X509 *leaf = PEM_read_bio_X509(in, NULL, NULL, NULL);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int code;

    (void)X509_STORE_CTX_init(context, store, leaf, NULL);
    (void)X509_verify_cert(context);
    code = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_free(leaf);
    BIO_free(in);
    return code;
}

/* A code that a verification of another certificate gave isn't the connection's, though it is the
 * same one, and the last that was asked of. */
static void apart(void)
{
    SSL *refused = fail(ENDS_HOST);
    long code = SSL_get_verify_result(refused);
    int other = verify_apart("api.pem");

    (void)printf("%s %s", other == code ? "same code" : "other code",
                 word(X509_verify_cert_error_string(other)));
    (void)printf(", again %s", word(ask(refused)));
    SSL_free(refused);
}

static void *fail_elsewhere(void *host)
{
    SSL *own = fail(host);

    (void)printf(", %s", words_for_refusal());
    SSL_free(own);
    return NULL;
}

/* The library's words are all threads': with two that shake hands they name nobody's refusal,
 * and an error of trustgraft's own does. */
static void threads(void)
{
    SSL *refused = fail(ENDS_HOST);
    pthread_t other;

    (void)printf("%s", words_for_refusal());
    if (pthread_create(&other, NULL, fail_elsewhere, "own.example.test") == 0)
        (void)pthread_join(other, NULL);
    SSL_free(refused);
    refused = fail(ENDS_HOST);
    (void)printf(", %s", words_for_refusal());
    ends_print_queue();
    SSL_free(refused);
}

int main(int argc, char **argv)
{
    static const struct ends_scenario scenarios[] = {
        {"connection", connection}, {"queue", queue}, {"data", data},
        {"thread", thread},         {"apart", apart}, {"threads", threads}};

    return ends_main(argc, argv, scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
