/* verify.c - verifications against a store: of certificates, and of what else is signed. */
#include "ask.h"
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1790000000 /* in 2026 */

static const struct {
    const char *name;
    unsigned long flag;
} flags[] = {
    {"partial", X509_V_FLAG_PARTIAL_CHAIN}, {"first", X509_V_FLAG_TRUSTED_FIRST},
    {"noalt", X509_V_FLAG_NO_ALT_CHAINS},   {"crl", X509_V_FLAG_CRL_CHECK},
    {"crlall", X509_V_FLAG_CRL_CHECK_ALL},  {"strict", X509_V_FLAG_X509_STRICT},
    {"anytime", X509_V_FLAG_NO_CHECK_TIME}, {"selfsigned", X509_V_FLAG_CHECK_SS_SIGNATURE},
    {"policy", X509_V_FLAG_POLICY_CHECK},   {"delta", X509_V_FLAG_USE_DELTAS},
    {"suiteb", X509_V_FLAG_SUITEB_128_LOS},
};

static void show_step(X509_STORE_CTX *context, int ok)
{
    printf("  at %d ok %d error %d ", X509_STORE_CTX_get_error_depth(context), ok,
           X509_STORE_CTX_get_error(context));
    show_cert(stdout, X509_STORE_CTX_get_current_cert(context));
    fputs(" by ", stdout);
    show_cert(stdout, X509_STORE_CTX_get0_current_issuer(context));
    putchar('\n');
}

static int listen(int ok, X509_STORE_CTX *context)
{
    show_step(context, ok);
    return ok;
}

static int go_on(int ok, X509_STORE_CTX *context)
{
    show_step(context, ok);
    return 1;
}

/* Looks for itself in the store that the verification under way goes by. */
static int look(int ok, X509_STORE_CTX *context)
{
    X509 *cert = X509_STORE_CTX_get_current_cert(context);
    X509_OBJECT *object = X509_OBJECT_new();

    show_step(context, ok);
    if (cert != NULL)
        printf("  looked %d\n", X509_STORE_CTX_get_by_subject(context, X509_LU_X509,
                                                              X509_get_issuer_name(cert), object));
    X509_OBJECT_free(object);
    printf("  counted %d\n",
           sk_X509_OBJECT_num(X509_STORE_get0_objects(X509_STORE_CTX_get0_store(context))));
    return 1;
}

static void set_flag(X509_STORE_CTX *context, const char *word)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(flags[i].name, word) == 0)
            X509_VERIFY_PARAM_set_flags(param, flags[i].flag);
    }
    if (strcmp(word, "cb") == 0)
        X509_STORE_CTX_set_verify_cb(context, listen);
    if (strcmp(word, "go-on") == 0)
        X509_STORE_CTX_set_verify_cb(context, go_on);
    if (strcmp(word, "look") == 0)
        X509_STORE_CTX_set_verify_cb(context, look);
    if (strcmp(word, "server") == 0)
        X509_STORE_CTX_set_default(context, "ssl_server");
    if (strcmp(word, "smime") == 0)
        X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SMIME_SIGN);
    if (strncmp(word, "host=", 5) == 0)
        X509_VERIFY_PARAM_set1_host(param, word + 5, 0);
    if (strncmp(word, "time=", 5) == 0)
        X509_VERIFY_PARAM_set_time(param, strtol(word + 5, NULL, 10));
    if (strncmp(word, "depth=", 6) == 0)
        X509_VERIFY_PARAM_set_depth(param, (int)strtol(word + 6, NULL, 10));
}

static void show_chain(X509_STORE_CTX *context)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);

    printf("chain of %d, error %d at %d\n", sk_X509_num(chain), X509_STORE_CTX_get_error(context),
           X509_STORE_CTX_get_error_depth(context));
    for (int i = 0; i < sk_X509_num(chain); i++) {
        fputs("  ", stdout);
        show_cert(stdout, sk_X509_value(chain, i));
        putchar('\n');
        tell_errors(stdout);
    }
}

/* Which objects of the store the chain's certificates are. */
static void show_places(X509_STORE_CTX *context, X509_STORE *store)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
    STACK_OF(X509_OBJECT) *list = X509_STORE_get0_objects(store);

    for (int i = 0; i < sk_X509_num(chain); i++) {
        for (int j = 0; j < sk_X509_OBJECT_num(list); j++) {
            if (X509_OBJECT_get0_X509(sk_X509_OBJECT_value(list, j)) == sk_X509_value(chain, i))
                printf("  %d of the chain is %d of the store\n", i, j);
        }
    }
}

/* verify store cert untrusted flag... */
static void verify(char **word)
{
    X509_STORE *store = store_of(word[1]);
    X509 *cert = read_cert(word[2]);
    STACK_OF(X509) *untrusted = read_certs(word[3]);
    X509_STORE_CTX *context = context_for(store, cert, untrusted);
    bool where = false;

    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), NOW);
    for (int i = 4; i < WORDS; i++) {
        set_flag(context, word[i]);
        where = where || strcmp(word[i], "where") == 0;
    }
    tell("verify", X509_verify_cert(context));
    show_chain(context);
    if (where)
        show_places(context, store);
    X509_STORE_CTX_free(context);
    sk_X509_pop_free(untrusted, X509_free);
    X509_free(cert);
}

/* twice store cert other: one context, used again. */
static void twice(char **word)
{
    X509_STORE *store = store_of(word[1]);
    X509 *certs[2] = {read_cert(word[2]), read_cert(word[3])};
    X509_STORE_CTX *context = X509_STORE_CTX_new();

    for (int i = 0; i < 2; i++) {
        tell("init", X509_STORE_CTX_init(context, store, certs[i], NULL));
        X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), NOW);
        tell("verify", X509_verify_cert(context));
        show_chain(context);
        X509_STORE_CTX_cleanup(context);
        X509_free(certs[i]);
    }
    X509_STORE_CTX_free(context);
}

static void set_now(X509_STORE *store)
{
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), NOW);
}

static void cms(char **word)
{
    BIO *file = BIO_new_file(word[2], "r");
    CMS_ContentInfo *message = PEM_read_bio_CMS(file, NULL, NULL, NULL);

    set_now(store_of(word[1]));
    tell("cms", CMS_verify(message, NULL, store_of(word[1]), NULL, NULL, 0));
    CMS_ContentInfo_free(message);
    BIO_free(file);
}

static void pkcs7(char **word)
{
    BIO *file = BIO_new_file(word[2], "r");
    PKCS7 *message = PEM_read_bio_PKCS7(file, NULL, NULL, NULL);

    set_now(store_of(word[1]));
    tell("pkcs7", PKCS7_verify(message, NULL, store_of(word[1]), NULL, NULL, 0));
    PKCS7_free(message);
    BIO_free(file);
}

/* ocsp store response untrusted */
static void ocsp(char **word)
{
    BIO *file = BIO_new_file(word[2], "r");
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE_bio(file, NULL);
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    STACK_OF(X509) *untrusted = read_certs(word[3]);

    set_now(store_of(word[1]));
    tell("ocsp", OCSP_basic_verify(basic, untrusted, store_of(word[1]), 0));
    sk_X509_pop_free(untrusted, X509_free);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    BIO_free(file);
}

const struct step verify_steps[] = {
    {"verify", verify}, {"twice", twice}, {"cms", cms},
    {"pkcs7", pkcs7},   {"ocsp", ocsp},   {NULL, NULL},
};
