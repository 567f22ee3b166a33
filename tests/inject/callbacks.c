#include "callbacks.h"
#include "pair.h"
#include <stdlib.h>

static int verdict, error = X509_V_ERR_APPLICATION_VERIFICATION;
static atomic_int asked;

static int own_verify(X509_STORE_CTX *store, void *arg)
{
    if (arg != &verdict)
        return -1;
    atomic_fetch_add(&asked, 1);
    X509_STORE_CTX_set_error(store, verdict ? X509_V_OK : error);
    return verdict;
}

/* How often it is asked, where the runner says how often it must be. */
static void check_asked(struct tally *tally)
{
    const char *times = getenv("ASKED");

    if (times != NULL && asked != strtol(times, NULL, 10))
        tally_add(tally, BROKEN);
}

/* Sets its own callback on the context, before (0) or after (1) the connection is made. */
static void verify_itself(struct tally *tally, int accept, bool late)
{
    SSL_CTX *ctx = pair_client();
    SSL *ssl = late ? pair_connection(ctx) : NULL;

    verdict = accept;
    if (ctx != NULL)
        SSL_CTX_set_cert_verify_callback(ctx, own_verify, &verdict);
    tally_add(tally, pair_connect(late ? ssl : pair_connection(ctx)));
    SSL_CTX_free(ctx);
    check_asked(tally);
}

void own_accepting(struct tally *tally)
{
    verify_itself(tally, 1, false);
}

void own_accepting_late(struct tally *tally)
{
    verify_itself(tally, 1, true);
}

void own_refusing(struct tally *tally)
{
    verify_itself(tally, 0, false);
}

void own_revoking(struct tally *tally)
{
    error = X509_V_ERR_CERT_REVOKED;
    verify_itself(tally, 0, false);
}

static atomic_int done;

static void count_done(const SSL *ssl, int where, int value)
{
    (void)ssl, (void)value;
    if (where & SSL_CB_HANDSHAKE_DONE)
        atomic_fetch_add(&done, 1);
}

/* Its own info callback is called, once, and is the one it gets back, if that is asked for. */
void own_info(struct tally *tally)
{
    SSL_CTX *ctx = pair_client();
    SSL *ssl = pair_connection(ctx);
    enum outcome outcome;

    if (ssl != NULL) {
        if (getenv("EXACT") != NULL && SSL_get_info_callback(ssl) != NULL)
            tally_add(tally, BROKEN);
        SSL_set_info_callback(ssl, count_done);
        if (getenv("EXACT") != NULL && SSL_get_info_callback(ssl) != count_done)
            tally_add(tally, BROKEN);
    }
    outcome = pair_connect(ssl);
    if (outcome == ACCEPTED && done != 1)
        outcome = BROKEN;
    tally_add(tally, outcome);
    SSL_CTX_free(ctx);
}

void own_context_info(struct tally *tally)
{
    SSL_CTX *ctx = pair_client();
    enum outcome outcome;

    if (ctx != NULL)
        SSL_CTX_set_info_callback(ctx, count_done);
    outcome = pair_connect(pair_connection(ctx));
    if (outcome == ACCEPTED && done != 1)
        outcome = BROKEN;
    tally_add(tally, outcome);
    SSL_CTX_free(ctx);
}

/* Its own verify callback and its own info callbacks: the hook and the gate are both gone. */
void own_both(struct tally *tally)
{
    SSL_CTX *ctx = pair_client();
    SSL *ssl = pair_connection(ctx);
    enum outcome outcome;

    verdict = 1;
    if (ssl != NULL) {
        SSL_CTX_set_cert_verify_callback(ctx, own_verify, &verdict);
        SSL_CTX_set_info_callback(ctx, count_done);
        SSL_set_info_callback(ssl, count_done);
    }
    outcome = pair_connect(ssl);
    tally_add(tally, outcome == ACCEPTED && done != 1 ? BROKEN : outcome);
    SSL_CTX_free(ctx);
    check_asked(tally);
}

static int own_verify_and_info(X509_STORE_CTX *store, void *arg)
{
    SSL_set_info_callback(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
                          count_done);
    return own_verify(store, arg);
}

/* The same, but the info callback is set after the ClientHello. */
void own_both_late(struct tally *tally)
{
    SSL_CTX *ctx = pair_client();

    verdict = 1;
    if (ctx != NULL)
        SSL_CTX_set_cert_verify_callback(ctx, own_verify_and_info, &verdict);
    tally_add(tally, pair_connect(pair_connection(ctx)));
    SSL_CTX_free(ctx);
    check_asked(tally);
}
