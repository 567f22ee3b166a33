/* hooks.c - what a program puts into a store's hooks, and finds there. */
#include "ask.h"
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

bool quiet;

#define say(...) ((void)(quiet || printf(__VA_ARGS__)))

static void trace(const char *hook, X509 *cert)
{
    if (quiet)
        return;
    printf("  hook %s ", hook);
    show_cert(stdout, cert);
    putchar('\n');
}

static int my_get_issuer(X509 **found, X509_STORE_CTX *context, X509 *cert)
{
    int result = X509_STORE_CTX_get1_issuer(found, context, cert);

    trace("get-issuer", cert);
    say("  hook gives %d\n", result);
    return result;
}

static STACK_OF(X509) *my_lookup_certs(X509_STORE_CTX *context, const X509_NAME *name)
{
    STACK_OF(X509) *certs = X509_STORE_CTX_get1_certs(context, name);

    say("  hook lookup-certs %lx gives %d\n", X509_NAME_hash_ex(name, NULL, NULL, NULL),
        certs != NULL ? sk_X509_num(certs) : -1);
    return certs;
}

static int my_check_issued(X509_STORE_CTX *context, X509 *cert, X509 *its_issuer)
{
    (void)context;
    trace("check-issued", its_issuer);
    return X509_check_issued(its_issuer, cert) == X509_V_OK;
}

static int my_verify_cb(int ok, X509_STORE_CTX *context)
{
    trace("verify-cb", X509_STORE_CTX_get_current_cert(context));
    say("  hook verify-cb %d %d\n", ok, X509_STORE_CTX_get_error(context));
    return ok;
}

static int my_cleanup(X509_STORE_CTX *context)
{
    (void)context;
    say("  hook cleanup\n");
    return 1;
}

static STACK_OF(X509_CRL) *my_lookup_crls(const X509_STORE_CTX *context, const X509_NAME *name)
{
    say("  hook lookup-crls\n");
    return X509_STORE_CTX_get1_crls(context, name);
}

/* The one that was there before, as a program does that only wants to listen. */
static X509_STORE_CTX_get_issuer_fn before;

static int listen_get_issuer(X509 **found, X509_STORE_CTX *context, X509 *cert)
{
    trace("listen", cert);
    return before != NULL ? before(found, context, cert)
                          : X509_STORE_CTX_get1_issuer(found, context, cert);
}

static void listen(char **word)
{
    X509_STORE_CTX_get_issuer_fn now = X509_STORE_get_get_issuer(store_of(word[1]));

    before = now != listen_get_issuer ? now : NULL;
    X509_STORE_set_get_issuer(store_of(word[1]), listen_get_issuer);
}

/* hook store name */
static void hook(char **word)
{
    X509_STORE *store = store_of(word[1]);

    if (strcmp(word[2], "get-issuer") == 0)
        X509_STORE_set_get_issuer(store, my_get_issuer);
    if (strcmp(word[2], "lookup-certs") == 0)
        X509_STORE_set_lookup_certs(store, my_lookup_certs);
    if (strcmp(word[2], "check-issued") == 0)
        X509_STORE_set_check_issued(store, my_check_issued);
    if (strcmp(word[2], "verify-cb") == 0)
        X509_STORE_set_verify_cb(store, my_verify_cb);
    if (strcmp(word[2], "cleanup") == 0)
        X509_STORE_set_cleanup(store, my_cleanup);
    if (strcmp(word[2], "lookup-crls") == 0)
        X509_STORE_set_lookup_crls(store, my_lookup_crls);
}

static void unhook(char **word)
{
    X509_STORE_set_get_issuer(store_of(word[1]), NULL);
    X509_STORE_set_lookup_certs(store_of(word[1]), NULL);
}

static const char *who(X509_STORE_CTX_get_issuer_fn get)
{
    if (get == my_get_issuer || get == listen_get_issuer)
        return "mine";
    if (get == X509_STORE_CTX_get1_issuer)
        return "OpenSSL's";
    return get == NULL ? "none" : "another";
}

static const char *whose(X509_STORE_CTX_lookup_certs_fn get)
{
    if (get == my_lookup_certs)
        return "mine";
    if (get == X509_STORE_CTX_get1_certs)
        return "OpenSSL's";
    return get == NULL ? "none" : "another";
}

/* hooks store cert: of the store, and of a context for it. */
static void hooks(char **word)
{
    X509_STORE *store = store_of(word[1]);
    X509 *cert = read_cert(word[2]);
    X509_STORE_CTX *context = context_for(store, cert, NULL);

    printf("hooks of the store: %s %s\n", who(X509_STORE_get_get_issuer(store)),
           whose(X509_STORE_get_lookup_certs(store)));
    printf("hooks of a context: %s %s\n", who(X509_STORE_CTX_get_get_issuer(context)),
           whose(X509_STORE_CTX_get_lookup_certs(context)));
    printf("others %d %d %d %d %d\n", X509_STORE_get_check_issued(store) != NULL,
           X509_STORE_get_verify_cb(store) != NULL, X509_STORE_get_verify(store) != NULL,
           X509_STORE_get_cleanup(store) != NULL, X509_STORE_get_lookup_crls(store) != NULL);
    X509_STORE_CTX_free(context);
    X509_free(cert);
}

static void told_free(void *parent, void *data, CRYPTO_EX_DATA *ad, int index, long argl,
                      void *argp)
{
    (void)parent, (void)ad, (void)index, (void)argl, (void)argp;
    if (data != NULL)
        printf("  freed with %s\n", (const char *)data);
}

/* data store: data of the program's at the store, told of when it goes. */
static void data(char **word)
{
    static int index = -1;
    static char mine[] = "its data";

    if (index < 0)
        index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE, 0, NULL, NULL, NULL, told_free);
    tell("set data", X509_STORE_set_ex_data(store_of(word[1]), index, mine));
    printf("data %s\n", (const char *)X509_STORE_get_ex_data(store_of(word[1]), index));
}

/* flags store flags: of the store's own parameters. */
static void flags(char **word)
{
    tell("flags", X509_STORE_set_flags(store_of(word[1]), strtoul(word[2], NULL, 16)));
    tell("flags now", (long)X509_VERIFY_PARAM_get_flags(X509_STORE_get0_param(store_of(word[1]))));
}

const struct step hook_steps[] = {
    {"hook", hook}, {"unhook", unhook}, {"listen", listen}, {"hooks", hooks},
    {"data", data}, {"flags", flags},   {NULL, NULL},
};
