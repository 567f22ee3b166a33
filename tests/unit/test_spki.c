/* Where a certificate's key lies is found as libcrypto finds it, or not at all. */
#include "hash.h"
#include "pki.h"
#include "spki.h"
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* True if DER's key is found; it is then what libcrypto makes of it, if DER is a certificate. */
static bool finds(const unsigned char *der, size_t length)
{
    const unsigned char *at = der, *found = NULL;
    unsigned char *key = NULL;
    size_t size = 0;
    X509 *certificate = NULL;

    if (!tg_spki_find(der, length, &found, &size))
        return false;
    assert_true(found >= der && found + size <= der + length);
    certificate = d2i_X509(NULL, &at, (long)length);
    if (certificate != NULL) {
        assert_ptr_equal(at, der + length);
        assert_int_equal(i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key), size);
        assert_memory_equal(key, found, size);
    }
    OPENSSL_free(key);
    X509_free(certificate);
    return true;
}

static void the_key_of_each_certificate_is_found(void **state)
{
    size_t found = 0;
    glob_t files;

    (void)state;
    assert_int_equal(glob(pki_path("*.pem"), 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        FILE *in = fopen(files.gl_pathv[i], "re");
        X509 *certificate = in != NULL ? PEM_read_X509(in, NULL, NULL, NULL) : NULL;
        unsigned char *der = NULL;

        int length = certificate != NULL ? i2d_X509(certificate, &der) : 0; /* one isn't one */

        assert_non_null(in);
        assert_int_equal(certificate != NULL, finds(der, (size_t)length));
        found += certificate != NULL;
        OPENSSL_free(der);
        X509_free(certificate);
        fclose(in);
    }
    assert_true(found > 0);
    globfree(&files);
}

static unsigned char *der_of(const char *name, size_t *length)
{
    STACK_OF(X509) *certificates = pki_stack(name, "pem");
    unsigned char *der = NULL;

    *length = (size_t)i2d_X509(sk_X509_value(certificates, 0), &der);
    pki_free(certificates);
    return der;
}

static void a_part_of_a_certificate_is_none(void **state)
{
    size_t length;
    unsigned char *der = der_of("api", &length);

    (void)state;
    for (size_t cut = 0; cut < length; cut++) {
        unsigned char *part = malloc(cut + 1); /* so that a sanitizer sees its end */

        assert_non_null(part);
        memcpy(part, der, cut);
        assert_false(finds(part, cut));
        free(part);
    }
    der = OPENSSL_realloc(der, length + 1);
    der[length] = 0;
    assert_true(finds(der, length));
    assert_false(finds(der, length + 1));
    OPENSSL_free(der);
}

static void whatever_byte_is_wrong_no_other_key_is_found(void **state)
{
    static const unsigned char changes[] = {0x01, 0x20, 0x80, 0xff};
    size_t length, refused = 0;
    unsigned char *der = der_of("api", &length);

    (void)state;
    for (size_t i = 0; i < length; i++)
        for (size_t c = 0; c < sizeof(changes); c++) {
            der[i] ^= changes[c];
            refused += !finds(der, length);
            der[i] ^= changes[c];
        }
    assert_true(refused > 0 && refused < length * sizeof(changes));
    OPENSSL_free(der);
}

/* It is DER no more: of a key like that libcrypto would make other bytes. */
static void a_length_in_more_bytes_than_it_takes_is_left_to_libcrypto(void **state)
{
    size_t length;
    unsigned char *der = der_of("api", &length), *longer = malloc(length + 1);

    (void)state;
    assert_non_null(longer);
    assert_int_equal(der[1], 0x82);
    memcpy(longer, (const unsigned char[]){der[0], 0x83, 0}, 3);
    memcpy(longer + 3, der + 2, length - 2);
    assert_false(finds(longer, length + 1));
    free(longer);
    OPENSSL_free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_of_each_certificate_is_found),
        cmocka_unit_test(a_part_of_a_certificate_is_none),
        cmocka_unit_test(whatever_byte_is_wrong_no_other_key_is_found),
        cmocka_unit_test(a_length_in_more_bytes_than_it_takes_is_left_to_libcrypto),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
