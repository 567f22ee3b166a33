/* loads.c - the ways that certificates get into a store or a context. */
#include "ask.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

static const char *or_null(const char *word)
{
    return strcmp(word, "-") == 0 ? NULL : word;
}

static int type_of(const char *word)
{
    if (strcmp(word, "asn1") == 0)
        return X509_FILETYPE_ASN1;
    if (strcmp(word, "default") == 0)
        return X509_FILETYPE_DEFAULT;
    return strcmp(word, "pem") == 0 ? X509_FILETYPE_PEM : 77;
}

static void load_file(char **word)
{
    tell("load-file", X509_STORE_load_file(store_of(word[1]), word[2]));
}

static void load_file_ex(char **word)
{
    tell("load-file-ex", X509_STORE_load_file_ex(store_of(word[1]), word[2], NULL, word[3]));
}

static void load_locations(char **word)
{
    tell("load-locations",
         X509_STORE_load_locations(store_of(word[1]), or_null(word[2]), or_null(word[3])));
}

static void load_locations_ex(char **word)
{
    tell("load-locations-ex", X509_STORE_load_locations_ex(store_of(word[1]), or_null(word[2]),
                                                           or_null(word[3]), NULL, NULL));
}

static void load_path(char **word)
{
    tell("load-path", X509_STORE_load_path(store_of(word[1]), word[2]));
}

static void load_store(char **word)
{
    tell("load-store", X509_STORE_load_store(store_of(word[1]), word[2]));
}

static void defaults(char **word)
{
    tell("defaults", X509_STORE_set_default_paths(store_of(word[1])));
}

static void defaults_ex(char **word)
{
    tell("defaults-ex", X509_STORE_set_default_paths_ex(store_of(word[1]), NULL, NULL));
}

static X509_LOOKUP *lookup_of(char **word)
{
    return X509_STORE_add_lookup(store_of(word[1]), X509_LOOKUP_file());
}

static void lookup(char **word)
{
    tell("lookup", X509_LOOKUP_load_file(lookup_of(word), or_null(word[3]), type_of(word[2])));
}

static void lookup_ex(char **word)
{
    tell("lookup-ex",
         X509_LOOKUP_load_file_ex(lookup_of(word), or_null(word[3]), type_of(word[2]), NULL, NULL));
}

/* To a look-up that no file is meant for, or by a number that it doesn't know. */
static void lookup_wrong(char **word)
{
    X509_LOOKUP *dir = X509_STORE_add_lookup(store_of(word[1]), X509_LOOKUP_hash_dir());

    tell("lookup-dir", X509_LOOKUP_ctrl(dir, X509_L_FILE_LOAD, word[2], X509_FILETYPE_PEM, NULL));
    tell("lookup-77", X509_LOOKUP_ctrl(lookup_of(word), 77, word[2], X509_FILETYPE_PEM, NULL));
}

/* A place that is looked into later. */
static void add_store(char **word)
{
    X509_LOOKUP *place = X509_STORE_add_lookup(store_of(word[1]), X509_LOOKUP_store());

    tell("add-store", X509_LOOKUP_add_store(place, or_null(word[2])));
}

static void cert_file(char **word)
{
    tell("cert-file", X509_load_cert_file(lookup_of(word), word[3], type_of(word[2])));
}

static void cert_file_ex(char **word)
{
    tell("cert-file-ex",
         X509_load_cert_file_ex(lookup_of(word), word[3], type_of(word[2]), NULL, NULL));
}

static void crl_file(char **word)
{
    tell("crl-file", X509_load_crl_file(lookup_of(word), word[3], type_of(word[2])));
}

static void cert_crl_file(char **word)
{
    tell("cert-crl-file", X509_load_cert_crl_file(lookup_of(word), word[3], type_of(word[2])));
}

static void cert_crl_file_ex(char **word)
{
    tell("cert-crl-file-ex",
         X509_load_cert_crl_file_ex(lookup_of(word), word[3], type_of(word[2]), NULL, NULL));
}

static void add(char **word)
{
    X509 *cert = read_cert(word[2]);

    tell("add", X509_STORE_add_cert(store_of(word[1]), cert));
    X509_free(cert);
}

static void add_crl(char **word)
{
    BIO *file = BIO_new_file(word[2], "r");
    X509_CRL *crl = PEM_read_bio_X509_CRL(file, NULL, NULL, NULL);

    BIO_free(file);
    tell("add-crl", X509_STORE_add_crl(store_of(word[1]), crl));
    X509_CRL_free(crl);
}

/* What no program means to do; it gets the same for it. */
static void load_nothing(char **word)
{
    tell("load-locations", X509_STORE_load_locations(store_of(word[1]), NULL, NULL));
    tell("load-file", X509_STORE_load_file(store_of(word[1]), ""));
    tell("load-file NULL", X509_STORE_load_file(store_of(word[1]), NULL));
    tell("add NULL", X509_STORE_add_cert(store_of(word[1]), NULL));
    tell("add-crl NULL", X509_STORE_add_crl(store_of(word[1]), NULL));
}

/* errno belongs to a program as well, at least where it is told of a failure. */
static void load_errno(char **word)
{
    long result = -1;

    errno = 0;
    result = X509_STORE_load_file(store_of(word[1]), word[2]);
    printf("errno = %d\n", result == 1 ? 0 : errno);
    tell("load-file", result);
}

/* Between a program's own error and its mark, and what it does with them. */
static void load_marked(char **word)
{
    long result = -1;

    ERR_raise_data(ERR_LIB_USER, 42, "of the program");
    ERR_set_mark();
    ERR_raise_data(ERR_LIB_USER, 43, "above the mark");
    result = X509_STORE_load_file(store_of(word[1]), word[2]);
    printf("last %lx\n", ERR_peek_last_error());
    printf("popped %d\n", ERR_pop_to_mark());
    tell("load-file", result);
}

const struct step load_steps[] = {
    {"load-file", load_file},
    {"load-file-ex", load_file_ex},
    {"load-locations", load_locations},
    {"load-locations-ex", load_locations_ex},
    {"load-path", load_path},
    {"load-store", load_store},
    {"load-nothing", load_nothing},
    {"load-errno", load_errno},
    {"load-marked", load_marked},
    {"defaults", defaults},
    {"defaults-ex", defaults_ex},
    {"lookup", lookup},
    {"lookup-ex", lookup_ex},
    {"lookup-wrong", lookup_wrong},
    {"add-store", add_store},
    {"cert-file", cert_file},
    {"cert-file-ex", cert_file_ex},
    {"crl-file", crl_file},
    {"cert-crl-file", cert_crl_file},
    {"cert-crl-file-ex", cert_crl_file_ex},
    {"add", add},
    {"add-crl", add_crl},
    {NULL, NULL},
};
