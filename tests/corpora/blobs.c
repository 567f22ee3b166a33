#include "corpora.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct blob {
    struct blob *next;
    char *id;
    X509 *certificate;
    X509_CRL *crl;
};

static void *by_id;
static struct blob *all;

static int compare(const void *one, const void *other)
{
    return strcmp(((const struct blob *)one)->id, ((const struct blob *)other)->id);
}

/* DER of BASE64, whose length is a multiple of four; *LENGTH is set. */
static unsigned char *decode(const char *base64, long *length)
{
    size_t size = strlen(base64);
    unsigned char *der = malloc(size + 1);

    if (der == NULL)
        corpora_fail("memory ran out");
    *length = EVP_DecodeBlock(der, (const unsigned char *)base64, (int)size);
    corpora_demand(*length >= 0, "a blob is not base64");
    for (const char *end = base64 + size; end > base64 && end[-1] == '='; end--)
        --*length;
    return der;
}

static void parse(struct blob *blob, const char *kind, const char *base64)
{
    long length = 0;
    unsigned char *der = decode(base64, &length);
    const unsigned char *at = der;

    switch (*kind) {
    case 'C':
        blob->certificate = d2i_X509(NULL, &at, length);
        break;
    case 'T':
        blob->certificate = d2i_X509_AUX(NULL, &at, length);
        break;
    case 'L':
        blob->crl = d2i_X509_CRL(NULL, &at, length);
        break;
    default:
        corpora_fail("a blob is of an unknown kind");
    }
    ERR_clear_error();
    free(der);
}

static struct blob *new_blob(const char *id)
{
    struct blob *blob = calloc(1, sizeof(*blob));

    if (blob == NULL || (blob->id = strdup(id)) == NULL)
        corpora_fail("memory ran out");
    return blob;
}

void corpora_add_blob(char *line)
{
    char *rest = NULL, *kind = strtok_r(line, " ", &rest), *id = strtok_r(NULL, " ", &rest),
         *base64 = strtok_r(NULL, " ", &rest);
    struct blob *blob;

    if (base64 == NULL)
        corpora_fail("a blob has no contents");
    blob = new_blob(id);
    parse(blob, kind, base64);
    blob->next = all;
    all = blob;
    corpora_demand(tsearch(blob, &by_id, compare) != NULL, "memory ran out");
}

static const struct blob *find(const char *id)
{
    const struct blob wanted = {.id = (char *)id};
    struct blob *const *found = tfind(&wanted, &by_id, compare);

    if (found == NULL)
        corpora_fail("a case names a blob that is not there");
    return *found;
}

X509 *corpora_certificate(const char *id)
{
    return find(id)->certificate;
}

X509_CRL *corpora_crl(const char *id)
{
    return find(id)->crl;
}

static void keep(void *blob)
{
    (void)blob;
}

void corpora_free_blobs(void)
{
    struct blob *next;

    tdestroy(by_id, keep);
    for (; all != NULL; all = next) {
        next = all->next;
        X509_free(all->certificate);
        X509_CRL_free(all->crl);
        free(all->id);
        free(all);
    }
}
