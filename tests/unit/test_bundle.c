/* The certificates of a file, without decoding one: what is ordinary, and which names are alike. */
#include "armour.h"
#include "bundle.h"
#include "certificate.h"
#include "pki.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

static char *slurp(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = calloc(1, 1 << 20);

    assert_non_null(file);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    (void)fclose(file);
    return text;
}

static bool is_ordinary(const char *text)
{
    struct tg_bundle *bundle = tg_bundle_read(text, strlen(text));
    bool ordinary = bundle != NULL;

    tg_bundle_free(bundle);
    return ordinary;
}

/* ---- PEM ------------------------------------------------------------------------------------- */

/* TEXT with the first WHAT in it replaced. */
static char *with(const char *text, const char *what, const char *by)
{
    char *made = calloc(1, strlen(text) + strlen(by) + 1);
    const char *at = strstr(text, what);

    assert_non_null(made);
    assert_non_null(at);
    (void)sprintf(made, "%.*s%s%s", (int)(at - text), text, by, at + strlen(what));
    return made;
}

/* What the four characters in TEXT's middle line were decoded to. */
static bool keep(void *arg, const uint8_t *data, size_t size, bool trusted)
{
    assert_false(trusted);
    assert_int_equal(size, 3);
    memcpy(arg, data, size);
    return true;
}

static void each_character_in_each_place_is_decoded_as_libcrypto_does_or_refused(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char around[] = "-----BEGIN CERTIFICATE-----\n....\n-----END CERTIFICATE-----\n";

    (void)state;
    for (unsigned place = 0; place < 4; place++)
        for (unsigned character = 0; character < 256; character++) {
            char text[sizeof(around)], four[5] = "q7Zk";
            unsigned char is[3] = {0}, wanted[4];
            bool good;

            four[place] = (char)character;
            memcpy(text, around, sizeof(around));
            memcpy(strchr(text, '.'), four, 4);
            good = character != 0 && strchr(alphabet, (int)character) != NULL;
            assert_int_equal(tg_armour_read(text, strlen(around), keep, is), good);
            if (good) {
                assert_int_equal(EVP_DecodeBlock(wanted, (const unsigned char *)four, 4), 3);
                assert_memory_equal(is, wanted, 3);
            }
        }
}

static void without_white_space_at_line_ends_or_comments_it_is_the_same(void **state)
{
    static const struct {
        const char *what, *by;
    } cases[] = {
        {"-----BEGIN", "# a comment\n\n-----BEGIN"},
        {"CERTIFICATE-----\n", "CERTIFICATE-----  \t\r\n"},
        {"\nM", "\r\nM"},
        {"-----END CERTIFICATE-----\n", "-----END CERTIFICATE-----"},
        {"-----END CERTIFICATE-----\n", "-----END CERTIFICATE-----\nand more: a comment\n"},
    };
    char *text = slurp(pki_path("root.pem"));

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *other = strstr(text, cases[i].what) != NULL ? with(text, cases[i].what, cases[i].by)
                                                          : strdup(text);

        assert_true(is_ordinary(other));
        free(other);
    }
    free(text);
}

static void what_versions_of_libcrypto_read_differently_is_not_ordinary(void **state)
{
    static const struct {
        const char *what, *by;
    } cases[] = {
        {"-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n\n"},
        {"-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nProc-Type: 4\n\n"},
        {"-----BEGIN CERTIFICATE-----", "-----BEGIN X509 CRL-----"},
        {"-----BEGIN CERTIFICATE-----", "-----BEGIN PRIVATE KEY-----"},
        {"-----BEGIN CERTIFICATE-----", "-----BEGIN  CERTIFICATE-----"},
        {"-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE----"},
        {"-----END CERTIFICATE-----", "-----END X509 CERTIFICATE-----"},
        {"-----END CERTIFICATE-----", "-----END CERTIFICATE"},
        {"-----END CERTIFICATE-----\n", ""},
        {"-----BEGIN", "\xef\xbb\xbf-----BEGIN"},
        {"-----BEGIN", "----- a line\n-----BEGIN"},
        {"-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nM"},
        {"-----END", "AAAA\n-----END"},
        {"-----END", "-----BEGIN CERTIFICATE-----\n-----END"},
        {"\nM", "\n M"},
    };
    char *text = slurp(pki_path("root.pem")), line[600];

    (void)state;
    assert_true(is_ordinary(text));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *other = with(text, cases[i].what, cases[i].by);

        assert_false(is_ordinary(other));
        free(other);
    }
    (void)snprintf(line, sizeof(line), "#%0260d\n-----BEGIN", 0);
    char *other = with(text, "-----BEGIN", line);
    assert_false(is_ordinary(other));
    free(other);
    assert_false(is_ordinary("nothing\n"));
    assert_null(tg_bundle_read("", 0));
    assert_null(tg_bundle_read(text, strlen(text) + 1)); /* with its NUL */
    free(text);
}

/* ---- DER ------------------------------------------------------------------------------------- */

struct bytes {
    unsigned char *data;
    int size;
};

static struct bytes encoded(void)
{
    STACK_OF(X509) *root = pki_certificates("root", NULL);
    struct bytes bytes = {.data = NULL};

    bytes.size = i2d_X509(sk_X509_value(root, 0), &bytes.data);
    assert_true(bytes.size > 0);
    pki_free(root);
    return bytes;
}

static bool is_well_formed(const unsigned char *data, int size)
{
    struct tg_der rest = {data, data + size}, subject;

    return tg_certificate_take(&rest, &subject) && rest.at == rest.end;
}

/* Whatever byte is changed into whatever: what counts as well-formed is decoded. */
static void what_is_well_formed_libcrypto_decodes(void **state)
{
    struct bytes good = encoded();
    size_t refused = 0;

    (void)state;
    assert_true(is_well_formed(good.data, good.size));
    for (int at = 0; at < good.size; at++)
        for (unsigned value = 0; value < 256; value += at < 16 ? 1 : 5) {
            unsigned char was = good.data[at];
            const unsigned char *from = good.data;

            good.data[at] = (unsigned char)value;
            if (is_well_formed(good.data, good.size)) {
                X509 *decoded = d2i_X509(NULL, &from, good.size);

                assert_non_null(decoded);
                assert_ptr_equal(from, good.data + good.size);
                X509_free(decoded);
            } else {
                refused++;
            }
            good.data[at] = was;
        }
    assert_true(refused > 1000);
    OPENSSL_free(good.data);
}

static void what_is_cut_short_or_goes_on_is_not_well_formed(void **state)
{
    struct bytes good = encoded();
    unsigned char *longer = malloc((size_t)good.size + 1);

    (void)state;
    for (int size = 0; size < good.size; size++) {
        unsigned char *cut = malloc((size_t)size + (size == 0)); /* ASan sees what reads past it */

        memcpy(cut, good.data, (size_t)size);
        assert_false(is_well_formed(cut, size));
        free(cut);
    }
    memcpy(longer, good.data, (size_t)good.size);
    longer[good.size] = 0;
    assert_false(is_well_formed(longer, good.size + 1));
    free(longer);
    OPENSSL_free(good.data);
}

/* ---- names ----------------------------------------------------------------------------------- */

struct value {
    const char *bytes;
    int type;
    int size; /* -1: as strlen(3) has it */
};

static X509_NAME *name_of(const struct value *values, size_t count, int set)
{
    X509_NAME *name = X509_NAME_new();

    for (size_t i = 0; i < count; i++)
        assert_true(X509_NAME_add_entry_by_NID(name, i == 0 ? NID_commonName : NID_organizationName,
                                               values[i].type, (const void *)values[i].bytes,
                                               values[i].size, -1, i == 0 ? 0 : set));
    return name;
}

static uint64_t number_of(const X509_NAME *name)
{
    const unsigned char *der = NULL;
    struct tg_der whole, content;
    uint64_t number = 0;
    size_t size = 0;

    assert_true(X509_NAME_get0_der(name, &der, &size));
    whole = (struct tg_der){der, der + size};
    assert_true(tg_der_take(&whole, 0x30, &content) && tg_fold_name(content, &number));
    return number;
}

static void names_that_libcrypto_calls_equal_have_one_number(void **state)
{
    static const struct value equal[] = {
        {"My Root 1", V_ASN1_UTF8STRING, -1},
        {"my  ROOT 1", V_ASN1_PRINTABLESTRING, -1},
        {"  My Root 1 ", V_ASN1_T61STRING, -1},
        {"My\tRoot\n1", V_ASN1_IA5STRING, -1},
        {"\0M\0y\0 \0R\0o\0o\0T\0 \0001", V_ASN1_BMPSTRING, 18},
        {"\0\0\0M\0\0\0y\0\0\0 \0\0\0r\0\0\0o\0\0\0o\0\0\0t\0\0\0 \0\0\0001",
         V_ASN1_UNIVERSALSTRING, 36},
    };
    const struct value other = {"My Root 2", V_ASN1_UTF8STRING, -1};
    X509_NAME *first = name_of(&equal[0], 1, 0), *last = name_of(&other, 1, 0);

    (void)state;
    for (size_t i = 1; i < sizeof(equal) / sizeof(equal[0]); i++) {
        X509_NAME *name = name_of(&equal[i], 1, 0);

        assert_int_equal(X509_NAME_cmp(first, name), 0);
        assert_true(number_of(first) == number_of(name));
        X509_NAME_free(name);
    }
    assert_true(X509_NAME_cmp(first, last) != 0 && number_of(first) != number_of(last));
    X509_NAME_free(first);
    X509_NAME_free(last);
}

/* They are sorted before they are compared, by what becomes of them. */
static void the_order_in_a_relative_name_does_not_count(void **state)
{
    /* as a SET, whose encoder sorts, and by hand the other way round */
    static const unsigned char one[] = "\x30\x18\x31\x16\x30\x09\x06\x03\x55\x04\x03\x0c\x02xy"
                                       "\x30\x09\x06\x03\x55\x04\x0a\x0c\x02zz";
    static const unsigned char other[] = "\x30\x18\x31\x16\x30\x09\x06\x03\x55\x04\x0a\x0c\x02ZZ"
                                         "\x30\x09\x06\x03\x55\x04\x03\x13\x02XY";
    const unsigned char *at = one, *from = other;
    X509_NAME *first = d2i_X509_NAME(NULL, &at, sizeof(one) - 1);
    X509_NAME *second = d2i_X509_NAME(NULL, &from, sizeof(other) - 1);

    (void)state;
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal(X509_NAME_cmp(first, second), 0);
    assert_true(number_of(first) == number_of(second));
    X509_NAME_free(first);
    X509_NAME_free(second);
}

static void a_name_that_cannot_be_read_has_no_number(void **state)
{
    static const unsigned char odd[] = "\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x1e\x03\0a\0";
    struct tg_der name = {odd, odd + sizeof(odd) - 1};
    uint64_t number;

    (void)state;
    assert_false(tg_fold_name(name, &number));
    name.end--;
    assert_false(tg_fold_name(name, &number));
}

/* ---- bundles --------------------------------------------------------------------------------- */

static void a_bundle_has_what_is_in_the_file_in_its_order(void **state)
{
    char *text = slurp(pki_path("api-deep.chain.pem"));
    struct tg_bundle *bundle = tg_bundle_read(text, strlen(text));
    STACK_OF(X509) *chain = pki_chain("api-deep");

    (void)state;
    assert_non_null(bundle);
    assert_int_equal(tg_bundle_count(bundle), sk_X509_num(chain));
    for (int i = 0; i < sk_X509_num(chain); i++) {
        struct tg_bundled one = tg_bundle_get(bundle, (size_t)i);
        const unsigned char *at = one.der;
        X509 *decoded = d2i_X509(NULL, &at, (long)one.size);

        assert_non_null(decoded);
        assert_int_equal(X509_cmp(decoded, sk_X509_value(chain, i)), 0);
        assert_true(one.subject == number_of(X509_get_subject_name(decoded)));
        X509_free(decoded);
    }
    pki_free(chain);
    tg_bundle_free(bundle);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_character_in_each_place_is_decoded_as_libcrypto_does_or_refused),
        cmocka_unit_test(without_white_space_at_line_ends_or_comments_it_is_the_same),
        cmocka_unit_test(what_versions_of_libcrypto_read_differently_is_not_ordinary),
        cmocka_unit_test(what_is_well_formed_libcrypto_decodes),
        cmocka_unit_test(what_is_cut_short_or_goes_on_is_not_well_formed),
        cmocka_unit_test(names_that_libcrypto_calls_equal_have_one_number),
        cmocka_unit_test(the_order_in_a_relative_name_does_not_count),
        cmocka_unit_test(a_name_that_cannot_be_read_has_no_number),
        cmocka_unit_test(a_bundle_has_what_is_in_the_file_in_its_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
