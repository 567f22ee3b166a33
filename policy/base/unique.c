/* unique.c - each certificate once, however many files have it. */
#include "unique.h"
#include "hash.h"
#include "mem.h"
#include <stdlib.h>
#include <string.h>

struct entry {
    uint8_t digest[TG_SHA256_SIZE];
    int index;
};

static int compare_digests(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = memcmp(x->digest, y->digest, TG_SHA256_SIZE);

    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* Moves the certificates that stay together; what is dropped is freed. */
static void compact(STACK_OF(X509) *certs, const struct entry *entries, int count)
{
    int kept = 0;

    for (int i = 1; i < count; i++)
        if (memcmp(entries[i - 1].digest, entries[i].digest, TG_SHA256_SIZE) == 0) {
            X509_free(sk_X509_value(certs, entries[i].index));
            (void)sk_X509_set(certs, entries[i].index, NULL);
        }
    for (int i = 0; i < count; i++)
        if (sk_X509_value(certs, i) != NULL)
            (void)sk_X509_set(certs, kept++, sk_X509_value(certs, i));
    while (sk_X509_num(certs) > kept)
        (void)sk_X509_pop(certs);
}

/* Bundles of 100,000 certificates: sorted, not each compared with each. */
const char *tg_certificates_unique(STACK_OF(X509) *certs)
{
    int count = sk_X509_num(certs);
    struct entry *entries = calloc((size_t)count + 1, sizeof(*entries));
    bool done = entries != NULL;

    for (int i = 0; done && i < count; i++) {
        entries[i].index = i;
        done = tg_hash_certificate(sk_X509_value(certs, i), entries[i].digest);
    }
    if (done) {
        qsort(entries, (size_t)count, sizeof(*entries), compare_digests);
        compact(certs, entries, count);
    }
    free(entries);
    return done ? NULL : tg_no_memory;
}
