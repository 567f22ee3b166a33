/* test_pattern.c - tg_pattern_parse: what is read, and what is said about what isn't. */
#include "pattern.h"
#include "rules.h"
#include <arpa/inet.h>

static struct tg_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = tg_arena_new();
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tg_arena_free(arena);
    return 0;
}

static struct tg_pattern parse(const char *word)
{
    struct tg_pattern pattern;
    size_t column;
    const char *fault = tg_pattern_parse(arena, word, &pattern, &column);

    if (fault)
        fail_msg("%s", fault);
    return pattern;
}

static void test_names_and_wildcards(void **state)
{
    static const struct {
        const char *word, *name;
        enum tg_pattern_kind kind;
        unsigned port;
    } cases[] = {
        {"example.com", "example.com", TG_PATTERN_NAME, 0},
        {"Example.COM.", "example.com", TG_PATTERN_NAME, 0},
        {"corp.example:8443", "corp.example", TG_PATTERN_NAME, 8443},
        {"corp.example.:1", "corp.example", TG_PATTERN_NAME, 1},
        {"localhost:65535", "localhost", TG_PATTERN_NAME, 65535},
        {"*.corp.example", "corp.example", TG_PATTERN_WILDCARD, 0},
        {"*.COM.:443", "com", TG_PATTERN_WILDCARD, 443},
        {"*._tcp.example", "_tcp.example", TG_PATTERN_WILDCARD, 0},
        {"*", "", TG_PATTERN_ANY, 0},
        {"*:443", "", TG_PATTERN_ANY, 443},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tg_pattern pattern = parse(cases[i].word);

        assert_int_equal(pattern.kind, cases[i].kind);
        assert_string_equal(pattern.name, cases[i].name);
        assert_int_equal(pattern.port, cases[i].port);
    }
}

static void test_addresses_and_blocks(void **state)
{
    static const struct {
        const char *word, *network;
        int family;
        unsigned prefix, port;
    } cases[] = {
        {"10.0.0.17", "10.0.0.17", AF_INET, 32, 0},
        {"10.0.0.17:636", "10.0.0.17", AF_INET, 32, 636},
        {"10.0.0.0/8", "10.0.0.0", AF_INET, 8, 0},
        {"10.128.0.0/9:443", "10.128.0.0", AF_INET, 9, 443},
        {"10.0.0.17/32", "10.0.0.17", AF_INET, 32, 0},
        {"0.0.0.0/0", "0.0.0.0", AF_INET, 0, 0},
        {"2001:DB8::1", "2001:db8::1", AF_INET6, 128, 0},
        {"2001:db8::1:443", "2001:db8::1:443", AF_INET6, 128, 0},
        {"[2001:db8::1]", "2001:db8::1", AF_INET6, 128, 0},
        {"[2001:db8::1]:443", "2001:db8::1", AF_INET6, 128, 443},
        {"2001:db8::/32", "2001:db8::", AF_INET6, 32, 0},
        {"[2001:db8::/33]:443", "2001:db8::", AF_INET6, 33, 443},
        {"::/0", "::", AF_INET6, 0, 0},
        {"::ffff:10.0.0.1", "10.0.0.1", AF_INET, 32, 0},
        {"[::ffff:a00:1]:443", "10.0.0.1", AF_INET, 32, 443},
        {"::ffff:10.0.0.0/104", "10.0.0.0", AF_INET, 8, 0},
        {"::ffff:0:0/96", "0.0.0.0", AF_INET, 0, 0},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tg_pattern pattern = parse(cases[i].word);
        char text[INET6_ADDRSTRLEN];

        assert_int_equal(pattern.kind, TG_PATTERN_ADDRESS);
        assert_int_equal(pattern.family, cases[i].family);
        assert_non_null(inet_ntop(pattern.family, pattern.address, text, sizeof text));
        assert_string_equal(text, cases[i].network);
        assert_int_equal(pattern.prefix, cases[i].prefix);
        assert_int_equal(pattern.port, cases[i].port);
    }
}

struct bad_case {
    const char *word;
    size_t column;
    const char *says; /* a part of the sentence */
};

static void expect_faults(const struct bad_case *cases, size_t count)
{
    struct tg_pattern untouched, pattern;
    size_t i;

    memset(&untouched, 0x55, sizeof untouched);
    for (i = 0; i < count; i++) {
        size_t column = SIZE_MAX;
        const char *fault;

        memcpy(&pattern, &untouched, sizeof pattern);
        fault = tg_pattern_parse(arena, cases[i].word, &pattern, &column);
        if (!fault) {
            fail_msg("\"%s\" is accepted", cases[i].word);
            return;
        }
        if (!strstr(fault, cases[i].says) || column != cases[i].column)
            fail_msg("column %zu: %s", column, fault);
        assert_non_null(strstr(fault, cases[i].word));
        assert_memory_equal(&pattern, &untouched, sizeof pattern);
    }
}

#define EXPECT_FAULTS(cases) expect_faults(cases, sizeof(cases) / sizeof *(cases))

static void test_bad_names(void **state)
{
    static const struct bad_case cases[] = {
        {"", 0, "write a name, *.name, *, an address or a block"},
        {":443", 0, "empty label"},
        {".com", 0, "write *.name"},
        {".", 0, "empty label"},
        {"a..com", 2, "empty label"},
        {"a.com..", 6, "empty label"},
        {"a b.com", 1, "letters, digits, - and _"},
        {"a.b!.com", 3, "letters, digits, - and _"},
        {"https://a.com", 0, "write its host alone"},
        {"a.com/path", 0, "no address before it"},
        {"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff1234.com", 0, "63"},
        {"x.aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
         ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
         ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
         ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff.a2345678",
         253, "253"},
    };

    (void)state;
    EXPECT_FAULTS(cases);
}

static void test_bad_wildcards(void **state)
{
    static const struct bad_case cases[] = {
        {"*foo.com", 0, "write *.name"},    {"foo.*", 4, "write *.name"},
        {"*.*.com", 2, "write *.name"},     {"w*.com", 1, "write *.name"},
        {"**", 0, "write *.name"},          {"*.", 0, "write *.name"},
        {"*..com", 2, "begins with a dot"}, {"*.10.0.0.1", 0, "block such as 10.0.0.0/8"},
        {"*.0.0.0/8", 0, "block such as"},  {"*.1", 2, "ends in a number"},
        {"*/8", 0, "write *.name"},         {"*.::1", 0, "no IPv6 address"},
    };

    (void)state;
    EXPECT_FAULTS(cases);
}

static void test_bad_ports(void **state)
{
    static const struct bad_case cases[] = {
        {"a.com:", 6, "1 to 65535"},        {"a.com:0", 6, "1 to 65535"},
        {"a.com:65536", 6, "1 to 65535"},   {"a.com:https", 6, "1 to 65535"},
        {"a.com:443x", 6, "1 to 65535"},    {"a.com:+443", 6, "1 to 65535"},
        {"a.com:-1", 6, "1 to 65535"},      {"a.com: 443", 6, "1 to 65535"},
        {"a.com:0443", 6, "1 to 65535"},    {"a.com:4294967739", 6, "1 to 65535"},
        {"[::1]:", 6, "1 to 65535"},        {"[::1]:0", 6, "1 to 65535"},
        {"[::1]443", 5, "only :PORT"},      {"a.com:443:444", 0, "neither HOST:PORT"},
        {"10.0.0.0/8:0", 11, "1 to 65535"}, {"*:99999999999999999999", 2, "1 to 65535"},
    };

    (void)state;
    EXPECT_FAULTS(cases);
}

static void test_bad_addresses(void **state)
{
    static const struct bad_case cases[] = {
        {"1.2.3", 4, "four decimal numbers"},
        {"010.1.1.1", 8, "four decimal numbers"},
        {"0x7f.0.0.1", 9, "four decimal numbers"},
        {"256.0.0.1", 8, "four decimal numbers"},
        {"2130706433", 0, "four decimal numbers"},
        {"fe80::1%eth0", 7, "zone"},
        {"[fe80::1%eth0]:443", 8, "zone"},
        {"[2001:db8::1", 0, "no ] for its ["},
        {"[10.0.0.1]:443", 1, "no IPv6 address"},
        {"[a.com]", 1, "no IPv6 address"},
        {"[]", 1, "no IPv6 address"},
        {"[2001:db8::]/32", 12, "outside the brackets"},
        {"2001:db8:::1", 0, "no IPv6 address"},
        {"1:2:3:4:5:6:7:8:9", 0, "no IPv6 address"},
    };

    (void)state;
    EXPECT_FAULTS(cases);
}

static void test_bad_blocks(void **state)
{
    static const struct bad_case cases[] = {
        {"10.0.0.0/33", 9, "0 to 32"},
        {"10.0.0.0/", 9, "0 to 32"},
        {"10.0.0.0/08", 9, "0 to 32"},
        {"10.0.0.0/255.0.0.0", 9, "0 to 32"},
        {"10.0.0.0/-1", 9, "0 to 32"},
        {"2001:db8::/129", 11, "0 to 128"},
        {"2001:db8::/32:443", 11, "[2001:db8::/32]:443"},
        {"::ffff:10.0.0.0/95", 16, "96 to 128"},
        {"10/8", 0, "no address before it"},
        {"/8", 0, "no address before it"},
        {"10.1.0.0/8", 9, "the network is 10.0.0.0/8"},
        {"10.0.0.129/25", 11, "the network is 10.0.0.128/25"},
        {"10.0.0.1/0", 9, "the network is 0.0.0.0/0"},
        {"2001:db8::1/64", 12, "the network is 2001:db8::/64"},
        {"[2001:db8:8000::/32]:443", 17, "the network is 2001:db8::/32"},
        {"::ffff:10.1.0.0/104", 16, "the network is 10.0.0.0/8"},
    };

    (void)state;
    EXPECT_FAULTS(cases);
}

static void test_unicode_is_told_its_a_label(void **state)
{
    static const struct bad_case cases[] = {
        {"b\xC3\xBC"
         "cher.example",
         1, "write its A-label, xn--bcher-kva.example"},
        {"*.B\xC3\x9C"
         "CHER.example:443",
         3, "write its A-label, *.xn--bcher-kva.example"},
        {"\xC3\xBC..example", 0, "write the name's A-label (xn--...)"},
        {"a.\xC3\xBC/8", 2, "write the name's A-label (xn--...)"},
    };

    (void)state;
    EXPECT_FAULTS(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_wildcards),
        cmocka_unit_test(test_addresses_and_blocks),
        cmocka_unit_test(test_bad_names),
        cmocka_unit_test(test_bad_wildcards),
        cmocka_unit_test(test_bad_ports),
        cmocka_unit_test(test_bad_addresses),
        cmocka_unit_test(test_bad_blocks),
        cmocka_unit_test(test_unicode_is_told_its_a_label),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
