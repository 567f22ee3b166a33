/* looks.c - the questions that a program can ask of a store without verifying anything. */
#include "ask.h"
#include <malloc.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define LISTED 40 /* objects that are told one by one; of more, a digest */

static void show_digest(FILE *out, const void *bytes, int length)
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};

    if (length >= 0 && !EVP_Digest(bytes, (size_t)length, digest, NULL, EVP_sha256(), NULL))
        abort();
    for (int i = 0; i < 6; i++)
        fprintf(out, "%02x", digest[i]);
}

static void show_key(FILE *out, const X509 *cert)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);

    fprintf(out, " key %d", key != NULL ? EVP_PKEY_get_id(key) : -1);
}

void show_cert(FILE *out, X509 *cert)
{
    unsigned char *der = NULL;
    int length = cert != NULL ? i2d_X509_AUX(cert, &der) : -1;

    if (cert == NULL) {
        fputs("none", out);
        return;
    }
    show_digest(out, der, length);
    OPENSSL_free(der);
    show_key(out, cert);
    fprintf(out, " flags %x name %lx", X509_get_extension_flags(cert),
            X509_subject_name_hash(cert));
}

static void show_crl(FILE *out, X509_CRL *crl)
{
    unsigned char *der = NULL;
    int length = i2d_X509_CRL(crl, &der);

    fputs("crl ", out);
    show_digest(out, der, length);
    OPENSSL_free(der);
}

static void show_object(FILE *out, const X509_OBJECT *object)
{
    if (object == NULL)
        fputs("none", out);
    else if (X509_OBJECT_get_type(object) == X509_LU_X509)
        show_cert(out, X509_OBJECT_get0_X509(object));
    else if (X509_OBJECT_get_type(object) == X509_LU_CRL)
        show_crl(out, X509_OBJECT_get0_X509_CRL(object));
    else
        fputs("nothing", out);
}

/* TEXT of COUNT objects, or its digest where it would be long. */
static void show_list(const char *what, int count, const char *text, size_t length)
{
    printf("%s = %d\n", what, count);
    if (count <= LISTED) {
        fputs(text, stdout);
        return;
    }
    fputs("  all of them ", stdout);
    show_digest(stdout, text, (int)length);
    putchar('\n');
}

void show_objects(X509_STORE *store, STACK_OF(X509_OBJECT) *objects)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    (void)store;
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        fputs("  ", out);
        show_object(out, sk_X509_OBJECT_value(objects, i));
        fputc('\n', out);
        tell_errors(out);
    }
    fclose(out);
    show_list("objects", sk_X509_OBJECT_num(objects), text, length);
    free(text);
}

static void objects(char **word)
{
    X509_STORE *store = store_of(word[1]);

    show_objects(store, X509_STORE_get0_objects(store));
}

static void count(char **word)
{
    tell("count", sk_X509_OBJECT_num(X509_STORE_get0_objects(store_of(word[1]))));
}

/* As a program does that other threads use the store of. */
static void objects_locked(char **word)
{
    X509_STORE *store = store_of(word[1]);

    tell("lock", X509_STORE_lock(store));
    show_objects(store, X509_STORE_get0_objects(store));
    tell("unlock", X509_STORE_unlock(store));
}

static void show_certs(const char *what, STACK_OF(X509) *certs)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    for (int i = 0; i < sk_X509_num(certs); i++) {
        fputs("  ", out);
        show_cert(out, sk_X509_value(certs, i));
        fputc('\n', out);
        tell_errors(out);
    }
    fclose(out);
    show_list(what, certs != NULL ? sk_X509_num(certs) : -1, text, length);
    free(text);
    tell_errors(stdout);
    sk_X509_pop_free(certs, X509_free);
}

static void all_certs(char **word)
{
    show_certs("all-certs", X509_STORE_get1_all_certs(store_of(word[1])));
}

X509_STORE_CTX *context_for(X509_STORE *store, X509 *cert, STACK_OF(X509) *untrusted)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();

    if (context == NULL || !X509_STORE_CTX_init(context, store, cert, untrusted))
        abort();
    return context;
}

static X509_LOOKUP_TYPE kind_of(const char *word)
{
    return strcmp(word, "crl") == 0 ? X509_LU_CRL : X509_LU_X509;
}

/* by-subject store cert|crl subject|issuer cert */
static void by_subject(char **word)
{
    X509 *cert = read_cert(word[4]);
    X509_STORE_CTX *context = context_for(store_of(word[1]), cert, NULL);
    X509_OBJECT *object = X509_OBJECT_new();
    int found =
        X509_STORE_CTX_get_by_subject(context, kind_of(word[2]), name_of(cert, word[3]), object);

    tell("by-subject", found);
    fputs("  ", stdout);
    show_object(stdout, object);
    putchar('\n');
    tell_errors(stdout);
    X509_OBJECT_free(object);
    X509_STORE_CTX_free(context);
    X509_free(cert);
}

static void obj_by_subject(char **word)
{
    X509 *cert = read_cert(word[4]);
    X509_STORE_CTX *context = context_for(store_of(word[1]), cert, NULL);
    X509_OBJECT *object =
        X509_STORE_CTX_get_obj_by_subject(context, kind_of(word[2]), name_of(cert, word[3]));

    tell("obj-by-subject", object != NULL);
    if (object != NULL)
        show_object(stdout, object);
    putchar('\n');
    X509_OBJECT_free(object);
    X509_STORE_CTX_free(context);
    X509_free(cert);
}

/* issuer store cert [hooked]: OpenSSL's own function, or what the context would use. */
static void issuer(char **word)
{
    X509 *cert = read_cert(word[2]);
    X509 *found = NULL;
    X509_STORE_CTX *context = context_for(store_of(word[1]), cert, NULL);
    X509_STORE_CTX_get_issuer_fn get =
        *word[3] != '\0' ? X509_STORE_CTX_get_get_issuer(context) : X509_STORE_CTX_get1_issuer;

    tell("issuer", get(&found, context, cert));
    show_cert(stdout, found);
    putchar('\n');
    tell_errors(stdout);
    X509_free(found);
    X509_STORE_CTX_free(context);
    X509_free(cert);
}

/* certs store subject|issuer cert [hooked] */
static void certs_of(char **word)
{
    X509 *cert = read_cert(word[3]);
    X509_STORE_CTX *context = context_for(store_of(word[1]), cert, NULL);
    X509_STORE_CTX_lookup_certs_fn get =
        *word[4] != '\0' ? X509_STORE_CTX_get_lookup_certs(context) : X509_STORE_CTX_get1_certs;

    show_certs("certs", get(context, name_of(cert, word[2])));
    X509_STORE_CTX_free(context);
    X509_free(cert);
}

static void crls_of(char **word)
{
    X509 *cert = read_cert(word[3]);
    X509_STORE_CTX *context = context_for(store_of(word[1]), cert, NULL);
    STACK_OF(X509_CRL) *crls = X509_STORE_CTX_get1_crls(context, name_of(cert, word[2]));

    tell("crls", crls != NULL ? sk_X509_CRL_num(crls) : -1);
    for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
        show_crl(stdout, sk_X509_CRL_value(crls, i));
        putchar('\n');
    }
    sk_X509_CRL_pop_free(crls, X509_CRL_free);
    X509_STORE_CTX_free(context);
    X509_free(cert);
}

/* index store subject|issuer cert: in the list itself. */
static void index_of(char **word)
{
    X509 *cert = read_cert(word[3]);
    STACK_OF(X509_OBJECT) *list = X509_STORE_get0_objects(store_of(word[1]));
    const X509_NAME *name = name_of(cert, word[2]);

    tell("index", X509_OBJECT_idx_by_subject(list, X509_LU_X509, name));
    show_object(stdout, X509_OBJECT_retrieve_by_subject(list, X509_LU_X509, name));
    putchar('\n');
    X509_free(cert);
}

/* alike store other: how many certificates of the two are one and the same object. */
static void alike(char **word)
{
    STACK_OF(X509_OBJECT) *mine = X509_STORE_get0_objects(store_of(word[1]));
    STACK_OF(X509_OBJECT) *other = X509_STORE_get0_objects(store_of(word[2]));
    int same = 0;

    for (int i = 0; i < sk_X509_OBJECT_num(mine); i++) {
        for (int j = 0; j < sk_X509_OBJECT_num(other); j++)
            same += X509_OBJECT_get0_X509(sk_X509_OBJECT_value(mine, i)) ==
                    X509_OBJECT_get0_X509(sk_X509_OBJECT_value(other, j));
    }
    tell("alike", same);
}

/* heap: how many bytes are in use, for run.py to compare with margin. */
static void heap(char **word)
{
    (void)word;
    printf("heap %zu\n", mallinfo2().uordblks);
}

const struct step look_steps[] = {
    {"objects", objects},
    {"count", count},
    {"objects-locked", objects_locked},
    {"all-certs", all_certs},
    {"by-subject", by_subject},
    {"obj-by-subject", obj_by_subject},
    {"issuer", issuer},
    {"certs", certs_of},
    {"crls", crls_of},
    {"index", index_of},
    {"alike", alike},
    {"heap", heap},
    {NULL, NULL},
};
