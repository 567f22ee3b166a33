/* Names, endpoints and times as text, of certificates that try to forge a log line too. */
#include "write.h"
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/x509.h>

/* A common name of LENGTH bytes of CN in the string type TYPE, and O=Example, Inc. */
static X509_NAME *make_name(int type, const char *cn, int length)
{
    const unsigned char *bytes = (const unsigned char *)cn,
                        *o = (const unsigned char *)"Example, Inc.";
    X509_NAME *name = X509_NAME_new();

    assert_true(X509_NAME_add_entry_by_txt(name, "CN", type, bytes, length, -1, 0));
    assert_true(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, o, -1, -1, 0));
    return name;
}

static char *name_of(int type, const char *cn, int length)
{
    X509_NAME *name = make_name(type, cn, length);
    struct tg_buf buf = {0};

    tg_write_name(&buf, name);
    X509_NAME_free(name);
    assert_false(buf.failed);
    return tg_buf_take(&buf);
}

static void expect_name(int type, const char *cn, int length, const char *expected)
{
    char *name = name_of(type, cn, length);

    assert_string_equal(name, expected);
    free(name);
}

static void a_name_reads_in_its_own_order(void **state)
{
    (void)state;
    expect_name(V_ASN1_UTF8STRING, "www.example.com", -1, "CN=www.example.com, O=Example\\, Inc.");
}

static void a_name_keeps_readable_utf8(void **state)
{
    (void)state;
    expect_name(V_ASN1_UTF8STRING,
                "b\xC3\xBC"
                "cher",
                -1,
                "CN=b\xC3\xBC"
                "cher, O=Example\\, Inc.");
}

static void a_name_with_controls_is_escaped(void **state)
{
    (void)state;
    expect_name(V_ASN1_UTF8STRING, "a\nb\x1B[2Jc\x7F", -1,
                "CN=a\\0Ab\\1B[2Jc\\7F, O=Example\\, Inc.");
}

static void a_name_with_an_embedded_nul_shows_it(void **state)
{
    (void)state;
    expect_name(V_ASN1_UTF8STRING, "good.example\0.evil.example", 26,
                "CN=good.example\\00.evil.example, O=Example\\, Inc.");
}

static void a_name_with_c1_controls_and_bidi_marks_is_escaped(void **state)
{
    (void)state;
    expect_name(V_ASN1_UTF8STRING,
                "a\xC2\x9B"
                "b\xE2\x80\xAE"
                "c",
                -1, "CN=a\\C2\\9Bb\\E2\\80\\AEc, O=Example\\, Inc.");
}

static void a_name_that_does_not_decode_is_shown_byte_by_byte(void **state)
{
    (void)state;
    expect_name(V_ASN1_UTF8STRING, "a\xFF\xC3z", 4, "CN=a\\FF\\C3z, O=Example\\, Inc.");
    assert_int_equal(ERR_peek_error(), 0);
}

static void a_huge_name_is_cut_off(void **state)
{
    char cn[20000], *name;

    (void)state;
    memset(cn, 'x', sizeof(cn));
    name = name_of(V_ASN1_UTF8STRING, cn, sizeof(cn));
    assert_int_equal(strlen(name), TG_WRITE_NAME_MAX + 3);
    assert_string_equal(name + TG_WRITE_NAME_MAX, "...");
    free(name);
}

static void the_error_queue_stays_as_it_was(void **state)
{
    unsigned long before;

    (void)state;
    ERR_raise(ERR_LIB_X509, X509_R_INVALID_DIRECTORY);
    before = ERR_peek_last_error();
    free(name_of(V_ASN1_UTF8STRING, "a\xFF", 2));
    assert_int_equal(ERR_peek_last_error(), before);
    ERR_clear_error();
}

static void expect_endpoint(const char *host, unsigned port, const char *expected)
{
    struct tg_buf buf = {0};
    char *text;

    tg_write_endpoint(&buf, host, port);
    text = tg_buf_take(&buf);
    assert_string_equal(text, expected);
    free(text);
}

static void endpoints_are_written_as_in_urls(void **state)
{
    (void)state;
    expect_endpoint("api.example.com", 443, "api.example.com:443");
    expect_endpoint("api.example.com", 0, "api.example.com");
    expect_endpoint("2001:db8::1", 443, "[2001:db8::1]:443");
    expect_endpoint("2001:db8::1", 0, "2001:db8::1");
    expect_endpoint(NULL, 443, "unknown host:443");
    expect_endpoint("a\nb", 1, "a\\x0Ab:1");
}

static void times_are_rfc_3339(void **state)
{
    struct tg_buf buf = {0};
    ASN1_TIME *broken = ASN1_TIME_new();

    (void)state;
    tg_write_time(&buf, 1795521600);
    tg_buf_add(&buf, " ");
    assert_true(ASN1_STRING_set(broken, "2613", 4));
    tg_write_asn1_time(&buf, broken);
    assert_string_equal(buf.text, "2026-11-24T12:00:00Z ?");
    tg_buf_free(&buf);
    ASN1_TIME_free(broken);
}

static void numbers_are_written_as_printf_does(void **state)
{
    static const long numbers[] = {0, 7, 10, -1, LONG_MAX, LONG_MIN};
    char expected[32];

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct tg_buf buf = {0};

        tg_buf_number(&buf, numbers[i]);
        snprintf(expected, sizeof expected, "%ld", numbers[i]);
        assert_string_equal(buf.text, expected);
        tg_buf_free(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_reads_in_its_own_order),
        cmocka_unit_test(a_name_keeps_readable_utf8),
        cmocka_unit_test(a_name_with_controls_is_escaped),
        cmocka_unit_test(a_name_with_an_embedded_nul_shows_it),
        cmocka_unit_test(a_name_with_c1_controls_and_bidi_marks_is_escaped),
        cmocka_unit_test(a_name_that_does_not_decode_is_shown_byte_by_byte),
        cmocka_unit_test(a_huge_name_is_cut_off),
        cmocka_unit_test(the_error_queue_stays_as_it_was),
        cmocka_unit_test(endpoints_are_written_as_in_urls),
        cmocka_unit_test(times_are_rfc_3339),
        cmocka_unit_test(numbers_are_written_as_printf_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
