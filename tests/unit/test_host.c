/* test_host.c - tg_host_canonical: one spelling for each host, none for what is no host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka.h needs the three above. */
#include <cmocka.h>

#include "host.h"
#include "idna.h"
#include <errno.h>
#include <string.h>

#define LABEL_60 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
#define NAME_244 LABEL_60 "." LABEL_60 "." LABEL_60 "." LABEL_60 "."

struct host_case {
    const char *host, *canonical; /* NULL: invalid */
};

static void expect(const struct host_case *cases, size_t count, enum tg_host_kind kind)
{
    size_t i;

    for (i = 0; i < count; i++) {
        char out[TG_HOST_SIZE] = "untouched";

        errno = EDOM;
        if (tg_host_canonical(cases[i].host, out) != kind)
            fail_msg("%s has another kind", cases[i].host ? cases[i].host : "NULL");
        assert_string_equal(out, cases[i].canonical ? cases[i].canonical : "untouched");
        assert_int_equal(errno, EDOM);
    }
}

#define EXPECT(cases, kind) expect(cases, sizeof(cases) / sizeof *(cases), kind)

static void test_names_lose_case_and_trailing_dot(void **state)
{
    static const struct host_case names[] = {
        {"example.com", "example.com"},
        {"EXAMPLE.Com.", "example.com"},
        {"localhost", "localhost"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"_dmarc.under_score.example", "_dmarc.under_score.example"},
        {"1.2.3.example", "1.2.3.example"},
        {"1e100.net", "1e100.net"},
        {"a.0xg", "a.0xg"},
        {"3com", "3com"},
        {LABEL_60 "123.example", LABEL_60 "123.example"},
        {NAME_244 "a23456789", NAME_244 "a23456789"},
        {NAME_244 "a23456789.", NAME_244 "a23456789"},
    };

    (void)state;
    EXPECT(names, TG_HOST_NAME);
}

static void test_addresses_become_what_inet_ntop_writes(void **state)
{
    static const struct host_case addresses[] = {
        {"10.0.0.1", "10.0.0.1"},
        {"10.0.0.1.", "10.0.0.1"},
        {"::1", "::1"},
        {"[::1]", "::1"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"[2001:0db8::0001]", "2001:db8::1"},
        {"::ffff:10.0.0.1", "10.0.0.1"},
        {"[::FFFF:a00:1]", "10.0.0.1"},
        {"::10.0.0.1", "::10.0.0.1"},
        {"fe80::1%eth0", "fe80::1"},
        {"[fe80::1%25eth0]", "fe80::1"},
    };

    (void)state;
    EXPECT(addresses, TG_HOST_ADDRESS);
}

static void test_what_is_nothing_is_invalid(void **state)
{
    static const struct host_case junk[] = {
        {NULL, NULL},
        {"", NULL},
        {".", NULL},
        {NAME_244 NAME_244 "a", NULL},
    };

    (void)state;
    EXPECT(junk, TG_HOST_INVALID);
}

/* Given, but not to be written in a policy: in lower case, without one dot at its end. */
static void test_what_no_policy_can_write_is_unspellable(void **state)
{
    static const struct host_case odd[] = {
        {"A~b.Example.", "a~b.example"},
        {"www|x.example", "www|x.example"},
        {"..", "."},
        {"a..b", "a..b"},
        {"a..", "a."},
        {".A", ".a"},
        {"a b", "a b"},
        {" a", " a"},
        {"a\n", "a\n"},
        {"a/b", "a/b"},
        {"a:443", "a:443"},
        {"*.Example.com", "*.example.com"},
        {"*", "*"},
        {"b\xC3\xBC"
         "cher.example",
         "b\xC3\xBC"
         "cher.example"},
        {"a%eth0", "a%eth0"},
        {"[a]", "[a]"},
        {"[10.0.0.1]", "[10.0.0.1]"},
        {"[10.0.0.1%:]", "[10.0.0.1%:]"},
        {"10.0.0.1%:", "10.0.0.1%:"},
        {"[", "["},
        {"[]", "[]"},
        {"[::1", "[::1"},
        {"::1]", "::1]"},
        {"[::1]:443", "[::1]:443"},
        {":::", ":::"},
        {"1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:9"},
        {LABEL_60 "1234.Example", LABEL_60 "1234.example"},
        {NAME_244 "a234567890", NAME_244 "a234567890"},
    };

    (void)state;
    EXPECT(odd, TG_HOST_UNSPELLABLE);
}

/* The URL standard: what ends in a number is an IPv4 address or nothing. */
static void test_odd_forms_of_an_address_are_no_names(void **state)
{
    static const struct host_case odd[] = {
        {"1.2.3", "1.2.3"},
        {"010.1.1.1", "010.1.1.1"},
        {"127.1", "127.1"},
        {"2130706433", "2130706433"},
        {"0x7f.0.0.1", "0x7f.0.0.1"},
        {"0x7F", "0x7f"},
        {"0x", "0x"},
        {"256.1.1.1", "256.1.1.1"},
        {"1.2.3.4.5", "1.2.3.4.5"},
        {"example.1", "example.1"},
        {"a.0xAB", "a.0xab"},
        {"1.2.3.4..", "1.2.3.4."},
    };

    (void)state;
    EXPECT(odd, TG_HOST_UNSPELLABLE);
}

static void test_unicode_becomes_its_a_label(void **state)
{
    /* The last three are examples of RFC 3492 section 7.1: (A), (L) and (R). */
    static const struct host_case labels[] = {
        {"b\xC3\xBC"
         "cher.example",
         "xn--bcher-kva.example"},
        {"*.B\xC3\x9C"
         "CHER.Example",
         "*.xn--bcher-kva.example"},
        {"m\xC3\xBCnchen", "xn--mnchen-3ya"},
        {"\xD0\x9F\xD0\xA0\xD0\x98\xD0\x9C\xD0\x95\xD0\xA0.\xD1\x80\xD1\x84",
         "xn--e1afmkfd.xn--p1ai"},
        {"\xD9\x84\xD9\x8A\xD9\x87\xD9\x85\xD8\xA7\xD8\xA8\xD8\xAA\xD9\x83\xD9\x84"
         "\xD9\x85\xD9\x88\xD8\xB4\xD8\xB9\xD8\xB1\xD8\xA8\xD9\x8A\xD8\x9F",
         "xn--egbpdaj6bu4bxfgehfvwxn"},
        {"3\xE5\xB9\xB4"
         "B\xE7\xB5\x84\xE9\x87\x91\xE5\x85\xAB\xE5\x85\x88\xE7\x94\x9F",
         "xn--3b-ww4c5e180e575a65lsy2b"},
        {"\xE3\x81\x9D\xE3\x81\xAE\xE3\x82\xB9\xE3\x83\x94\xE3\x83\xBC\xE3\x83\x89\xE3\x81\xA7",
         "xn--d9juau41awczczp"},
    };
    struct tg_arena *arena = tg_arena_new();
    size_t i;

    (void)state;
    assert_non_null(arena);
    for (i = 0; i < sizeof labels / sizeof *labels; i++) {
        const char *text = labels[i].host;
        const char *name = tg_host_alabels(arena, text, strlen(text));

        assert_non_null(name);
        assert_string_equal(name, labels[i].canonical);
    }
    assert_null(tg_host_alabels(arena, "\xFF", 1));
    assert_null(tg_host_alabels(arena, LABEL_60 "\xC3\xBC", 62));
    tg_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_lose_case_and_trailing_dot),
        cmocka_unit_test(test_addresses_become_what_inet_ntop_writes),
        cmocka_unit_test(test_what_is_nothing_is_invalid),
        cmocka_unit_test(test_what_no_policy_can_write_is_unspellable),
        cmocka_unit_test(test_odd_forms_of_an_address_are_no_names),
        cmocka_unit_test(test_unicode_becomes_its_a_label),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
