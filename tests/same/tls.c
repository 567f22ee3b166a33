/* tls.c - the same by way of libssl: its own ways to load, and handshakes in memory. */
#include "ask.h"
#include <openssl/err.h>
#include <string.h>

static const char *or_null(const char *word)
{
    return strcmp(word, "-") == 0 ? NULL : word;
}

static void ctx_file(char **word)
{
    tell("ctx-file", SSL_CTX_load_verify_file(context_of(word[1]), word[2]));
}

static void ctx_locations(char **word)
{
    tell("ctx-locations",
         SSL_CTX_load_verify_locations(context_of(word[1]), or_null(word[2]), or_null(word[3])));
}

static void ctx_dir(char **word)
{
    tell("ctx-dir", SSL_CTX_load_verify_dir(context_of(word[1]), word[2]));
}

static void ctx_store(char **word)
{
    tell("ctx-store", SSL_CTX_load_verify_store(context_of(word[1]), word[2]));
}

static void ctx_defaults(char **word)
{
    tell("ctx-defaults", SSL_CTX_set_default_verify_paths(context_of(word[1])));
}

static void ctx_default_file(char **word)
{
    tell("ctx-default-file", SSL_CTX_set_default_verify_file(context_of(word[1])));
}

static void ctx_set(char **word)
{
    tell("up", X509_STORE_up_ref(store_of(word[2])));
    SSL_CTX_set_cert_store(context_of(word[1]), store_of(word[2]));
    tell_errors(stdout);
}

static void ctx_set1(char **word)
{
    SSL_CTX_set1_cert_store(context_of(word[1]), store_of(word[2]));
    tell_errors(stdout);
}

static void verify_store(char **word)
{
    tell("verify-store", SSL_CTX_set1_verify_cert_store(context_of(word[1]), store_of(word[2])));
}

static void chain_store(char **word)
{
    tell("chain-store", SSL_CTX_set1_chain_cert_store(context_of(word[1]), store_of(word[2])));
}

/* build-chain context chain key: the server's own chain, from its store. */
static void build_chain(char **word)
{
    SSL_CTX *context = context_of(word[1]);
    STACK_OF(X509) *chain = NULL;

    tell("chain", SSL_CTX_use_certificate_chain_file(context, word[2]));
    tell("key", SSL_CTX_use_PrivateKey_file(context, word[3], SSL_FILETYPE_PEM));
    tell("build", SSL_CTX_build_cert_chain(context, SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR |
                                                        SSL_BUILD_CHAIN_FLAG_CLEAR_ERROR));
    SSL_CTX_get0_chain_certs(context, &chain);
    for (int i = 0; i < sk_X509_num(chain); i++) {
        show_cert(stdout, sk_X509_value(chain, i));
        putchar('\n');
    }
}

/* The names that a server would ask its clients for certificates of. */
static void client_ca(char **word)
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(word[2]);

    tell("client-ca", names != NULL ? sk_X509_NAME_num(names) : -1);
    for (int i = 0; i < sk_X509_NAME_num(names); i++)
        printf("  name %lx\n", X509_NAME_hash_ex(sk_X509_NAME_value(names, i), NULL, NULL, NULL));
    SSL_CTX_set_client_CA_list(context_of(word[1]), names);
    tell("client-ca kept", sk_X509_NAME_num(SSL_CTX_get_client_CA_list(context_of(word[1]))));
    names = sk_X509_NAME_new_null();
    tell("add", SSL_add_file_cert_subjects_to_stack(names, word[2]));
    tell("added", sk_X509_NAME_num(names));
    sk_X509_NAME_pop_free(names, X509_NAME_free);
}

static SSL_CTX *server_of(const char *chain, const char *key)
{
    SSL_CTX *server = SSL_CTX_new(TLS_server_method());

    tell("server chain", SSL_CTX_use_certificate_chain_file(server, chain));
    tell("server key", SSL_CTX_use_PrivateKey_file(server, key, SSL_FILETYPE_PEM));
    return server;
}

static void shake(SSL *client, SSL *server)
{
    for (int i = 0; i < 8; i++) {
        (void)SSL_do_handshake(client);
        (void)SSL_do_handshake(server);
    }
}

static void show_client(SSL *client)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(client);

    printf("finished %d result %ld chain %d\n", SSL_is_init_finished(client),
           SSL_get_verify_result(client), chain != NULL ? sk_X509_num(chain) : -1);
    for (int i = 0; i < sk_X509_num(chain); i++) {
        fputs("  ", stdout);
        show_cert(stdout, sk_X509_value(chain, i));
        putchar('\n');
    }
}

static int told(int ok, X509_STORE_CTX *context)
{
    printf("  callback %d error %d at %d\n", ok, X509_STORE_CTX_get_error(context),
           X509_STORE_CTX_get_error_depth(context));
    return ok;
}

/* handshake context chain key host */
static void handshake(char **word)
{
    SSL_CTX *server_context = server_of(word[2], word[3]);
    SSL *server = SSL_new(server_context);
    SSL *client = SSL_new(context_of(word[1]));
    BIO *here = NULL, *there = NULL;

    BIO_new_bio_pair(&here, 0, &there, 0);
    SSL_set_bio(client, here, here);
    SSL_set_bio(server, there, there);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    SSL_set_verify(client, SSL_VERIFY_PEER, told);
    if (*word[4] != '\0')
        SSL_set1_host(client, word[4]);
    shake(client, server);
    show_client(client);
    tell_errors(stdout);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(server_context);
}

const struct step tls_steps[] = {
    {"ctx-file", ctx_file},         {"ctx-locations", ctx_locations},
    {"ctx-dir", ctx_dir},           {"ctx-store", ctx_store},
    {"ctx-defaults", ctx_defaults}, {"ctx-default-file", ctx_default_file},
    {"ctx-set", ctx_set},           {"ctx-set1", ctx_set1},
    {"verify-store", verify_store}, {"chain-store", chain_store},
    {"build-chain", build_chain},   {"client-ca", client_ca},
    {"handshake", handshake},       {NULL, NULL},
};
