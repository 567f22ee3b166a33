/* hold.h - what a rule of a test's own making holds; for tests alone. */
#ifndef TG_TEST_HOLD_H
#define TG_TEST_HOLD_H

#include "holding.h"
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

/* The certificates of STACK; tg_holding_free it. */
static inline struct tg_holding *hold(const STACK_OF(X509) *stack)
{
    struct tg_holding *holding = tg_holding_new();

    if (holding == NULL)
        abort();
    for (int i = 0; i < sk_X509_num(stack); i++)
        if (!tg_holding_add(holding, sk_X509_value(stack, i)))
            abort();
    return holding;
}

/* Adds a file that holds TEXT and is nobody else's. */
static inline bool add_text(struct tg_holding *holding, const char *text, size_t blocks)
{
    const struct tg_file file = {.data = (char *)text, .size = strlen(text)};

    return tg_holding_add_file(holding, &file, blocks);
}

/* CERTIFICATE in PEM, with its settings where TRUSTED; free it. */
static inline char *pem(X509 *certificate, bool trusted)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *data = NULL, *text = NULL;

    if (trusted ? PEM_write_bio_X509_AUX(out, certificate) : PEM_write_bio_X509(out, certificate)) {
        long size = BIO_get_mem_data(out, &data);

        text = strndup(data, (size_t)size);
    }
    if (text == NULL)
        abort();
    BIO_free(out);
    return text;
}

/* What HOLDING has of this subject, where memory doesn't run out; sk_X509_pop_free it. */
static inline STACK_OF(X509) *find(const struct tg_holding *holding, const X509_NAME *name)
{
    STACK_OF(X509) *found = NULL;

    if (!tg_holding_find(holding, name, NULL, &found))
        abort();
    return found;
}

#endif
