/* The digests of certificates are those that openssl(1) prints. */
#include "hash.h"
#include "pin.h"
#include "pki.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The line of the PKI's index for NAME: name, fingerprint, pin, subject. */
static void read_index(const char *name, char fingerprint[80], char pin[60])
{
    FILE *in = fopen(pki_path("INDEX"), "re");
    char line[8192], found[256] = "";

    assert_non_null(in);
    while (fgets(line, sizeof line, in))
        if (sscanf(line, "%255s %79s %59s", found, fingerprint, pin) == 3 &&
            strcmp(found, name) == 0)
            break;
    fclose(in);
    assert_string_equal(found, name);
}

static void digests_are_those_of_the_index(void **state)
{
    STACK_OF(X509) *certs = pki_stack("api", "pem");
    X509 *certificate = sk_X509_value(certs, 0);
    char fingerprint[80], pin[60], hex[TG_HEX_SIZE], text[TG_PIN_SIZE];
    uint8_t digest[TG_SHA256_SIZE];

    (void)state;
    read_index("api", fingerprint, pin);
    assert_int_equal(tg_hash_certificate(certificate, digest), 1);
    tg_hex_text(digest, hex);
    assert_string_equal(hex, fingerprint + (strncmp(fingerprint, "sha256:", 7) == 0 ? 7 : 0));
    assert_int_equal(tg_hash_spki(certificate, digest), 1);
    tg_pin_text(digest, text);
    assert_string_equal(text, pin);
    pki_free(certs);
}

static void what_is_written_is_read_again(void **state)
{
    struct tg_arena *arena = tg_arena_new();
    uint8_t digest[TG_SHA256_SIZE], again[TG_SHA256_SIZE];
    char text[TG_PIN_SIZE], hex[7 + TG_HEX_SIZE] = "sha256:";
    size_t i;

    (void)state;
    for (i = 0; i < sizeof digest; i++)
        digest[i] = (uint8_t)(i * 37 + 5);
    tg_pin_text(digest, text);
    assert_null(tg_pin_read(arena, text, again));
    assert_memory_equal(digest, again, sizeof digest);
    tg_hex_text(digest, hex + 7);
    assert_null(tg_fingerprint_read(arena, hex, again));
    assert_memory_equal(digest, again, sizeof digest);
    tg_arena_free(arena);
}

static void only_an_equal_digest_is_in_a_list(void **state)
{
    uint8_t list[2][TG_SHA256_SIZE] = {{1}, {2}}, other[TG_SHA256_SIZE] = {1, [31] = 1};
    struct tg_digests digests = {list, 2}, none = {NULL, 0};

    (void)state;
    assert_true(tg_digests_have(&digests, list[0]));
    assert_true(tg_digests_have(&digests, list[1]));
    assert_false(tg_digests_have(&digests, other)); /* differs in the last byte, behind a zero */
    assert_false(tg_digests_have(&none, list[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_the_index),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(only_an_equal_digest_is_in_a_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
