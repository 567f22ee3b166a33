/*
 * fuzz_bundle.c - any bytes as a file of CAs: what is taken for ordinary, libcrypto reads as the
 * same certificates, in the same order and nothing else; and what it calls equal names have the
 * same number. As fuzz_policy.c is run.
 */
#include "bundle.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_bundle: %s\n", what);
    abort();
}

#define REQUIRE(condition) require(condition, #condition)

static uint64_t number_of(const X509_NAME *name)
{
    const unsigned char *der = NULL;
    struct tg_der whole, content;
    uint64_t number = 0;
    size_t size = 0;

    REQUIRE(X509_NAME_get0_der(name, &der, &size));
    whole = (struct tg_der){der, der + size};
    REQUIRE(tg_der_take(&whole, 0x30, &content) && tg_fold_name(content, &number));
    return number;
}

static void check_one(const struct tg_bundled *bundled, X509_INFO *read)
{
    const unsigned char *at = bundled->der;
    X509 *decoded = bundled->trusted ? d2i_X509_AUX(NULL, &at, (long)bundled->size)
                                     : d2i_X509(NULL, &at, (long)bundled->size);

    REQUIRE(decoded != NULL && at == bundled->der + bundled->size);
    REQUIRE(read->x509 != NULL && read->crl == NULL && read->x_pkey == NULL);
    REQUIRE(X509_cmp(decoded, read->x509) == 0);
    REQUIRE(number_of(X509_get_subject_name(decoded)) == bundled->subject);
    X509_free(decoded);
}

static void check_names(STACK_OF(X509_INFO) *all)
{
    for (int i = 0; i < sk_X509_INFO_num(all) && i < 8; i++)
        for (int j = 0; j < i; j++) {
            X509_NAME *one = X509_get_subject_name(sk_X509_INFO_value(all, i)->x509);
            X509_NAME *other = X509_get_subject_name(sk_X509_INFO_value(all, j)->x509);

            REQUIRE(X509_NAME_cmp(one, other) != 0 || number_of(one) == number_of(other));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tg_bundle *bundle = tg_bundle_read((const char *)data, size);
    STACK_OF(X509_INFO) *all = NULL;
    BIO *file = NULL;

    if (bundle == NULL)
        return 0;
    file = BIO_new_mem_buf(data, (int)size);
    all = PEM_X509_INFO_read_bio(file, NULL, NULL, "");
    REQUIRE(ERR_peek_error() == 0);
    REQUIRE(all != NULL && (size_t)sk_X509_INFO_num(all) == tg_bundle_count(bundle));
    for (int i = 0; i < sk_X509_INFO_num(all); i++) {
        struct tg_bundled bundled = tg_bundle_get(bundle, (size_t)i);

        check_one(&bundled, sk_X509_INFO_value(all, i));
    }
    check_names(all);
    ERR_clear_error();
    sk_X509_INFO_pop_free(all, X509_INFO_free);
    BIO_free(file);
    tg_bundle_free(bundle);
    return 0;
}
