/* The value types of a policy: what each accepts, and beside it what it refuses. */
#include "pin.h"
#include "value.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define COLONS                                                                                     \
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"                                             \
    "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"
/* 31 times 0x00, then 0x01: the last character has two bits that no byte owns. */
#define PIN "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="

static struct tg_arena *arena;

static void times_of_rfc_3339_are_read(void **state)
{
    static const struct {
        const char *word;
        long long seconds;
    } cases[] = {
        {"1970-01-01T00:00:01Z", 1},
        {"1970-01-02", 86400},
        {"1999-12-31T23:59:59Z", 946684799},
        {"2000-02-29", 951782400},
        {"2024-02-29T12:00:00Z", 1709208000},
        {"2026-11-21T20:40:00Z", 1795293600},
        {"2026-11-21t20:40:00z", 1795293600},
        {"2026-11-21T20:40:00.999Z", 1795293600},
        {"2026-11-21T21:40:00+01:00", 1795293600},
        {"2026-11-21T15:10:00-05:30", 1795293600},
        {"2026-11-21T20:40:00+00:00", 1795293600},
        {"2016-12-31T23:59:60Z", 1483228799},
        {"2038-01-19T03:14:08Z", 2147483648},
        {"2100-03-01", 4107542400},
        {"9999-12-31T23:59:59Z", 253402300799},
    };
    size_t i;
    time_t when;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        when = 0;
        assert_null(tg_value_time(arena, cases[i].word, &when));
        assert_int_equal(when, cases[i].seconds);
    }
}

/* Each says what was found, and leaves the time as it was. */
static void expect_no_time(const char *const words[], size_t count)
{
    time_t when = 42;
    size_t i;

    for (i = 0; i < count; i++) {
        const char *wrong = tg_value_time(arena, words[i], &when);

        assert_non_null(wrong);
        assert_non_null(strstr(wrong, words[i]));
        assert_int_equal(when, 42);
    }
}

static void what_is_no_date_is_refused(void **state)
{
    static const char *const words[] = {
        "",
        "now",
        "2026",
        "2026-11",
        "2026-13-01",
        "2026-00-01",
        "2026-02-29",
        "2100-02-29",
        "2026-04-31",
        "2026-01-00",
        "2026-1-1",
        "26-01-01",
        "2026-01-01Z",
        " 2026-01-01",
        "2026-01-01 ",
        "+2026-01-01",
        "2026-01--1",
        "1795293600",
    };

    (void)state;
    expect_no_time(words, sizeof words / sizeof *words);
}

static void what_is_no_time_of_day_is_refused(void **state)
{
    static const char *const words[] = {
        "2026-01-01T",
        "2026-01-01T00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+01:60",
        "2026-01-01T00:00:00Zx",
        "2026-01-01 00:00:00Z",
    };

    (void)state;
    expect_no_time(words, sizeof words / sizeof *words);
}

static void times_up_to_the_epoch_are_refused(void **state)
{
    static const char *const words[] = {
        "1970-01-01",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:30:00+01:00",
    };

    (void)state;
    expect_no_time(words, sizeof words / sizeof *words);
}

static void yes_and_no_are_all_there_is(void **state)
{
    static const char *const words[] = {"", "Yes", "NO", "true", "1", "on", "yes ", "y", "noo"};
    bool value = false;
    size_t i;

    (void)state;
    assert_null(tg_value_yes_no(arena, "yes", &value));
    assert_true(value);
    assert_null(tg_value_yes_no(arena, "no", &value));
    assert_false(value);
    value = true;
    for (i = 0; i < sizeof words / sizeof *words; i++)
        assert_non_null(tg_value_yes_no(arena, words[i], &value));
    assert_true(value);
}

static void a_pin_is_32_bytes(void **state)
{
    uint8_t digest[TG_SHA256_SIZE], expected[TG_SHA256_SIZE] = {[31] = 1};

    (void)state;
    memset(digest, 0xFF, sizeof digest);
    assert_null(tg_pin_read(arena, PIN, digest));
    assert_memory_equal(digest, expected, sizeof digest);
}

/* One digest has one spelling: else a pin that looks right is none. */
static void other_spellings_of_a_pin_are_refused(void **state)
{
    static const char *const words[] = {
        "",
        "sha256/",
        "sha256",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=",
        "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAF=", /* a bit that no byte owns */
        "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE",  /* no padding */
        "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* 33 bytes */
        "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=AAAA",
        "sha256/ AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=",
        "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE= ",
        "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-E=", /* base64url */
        "sha256/AAAA=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=",
        "SHA256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=",
        "sha1/AAAAAAAAAAAAAAAAAAAAAAAAAAE=",
        "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=",
    };
    uint8_t digest[TG_SHA256_SIZE], before[TG_SHA256_SIZE];
    size_t i;

    (void)state;
    memset(digest, 0xA5, sizeof digest);
    memcpy(before, digest, sizeof digest);
    for (i = 0; i < sizeof words / sizeof *words; i++)
        assert_non_null(tg_pin_read(arena, words[i], digest));
    assert_memory_equal(digest, before, sizeof digest);
}

static void a_fingerprint_may_have_colons_between_all_bytes(void **state)
{
    uint8_t plain[TG_SHA256_SIZE], colons[TG_SHA256_SIZE];

    (void)state;
    assert_null(tg_fingerprint_read(arena, "sha256:" HEX, plain));
    assert_int_equal(plain[1], 0x11);
    assert_int_equal(plain[31], 0xFF);
    assert_null(tg_fingerprint_read(arena, "sha256:" COLONS, colons));
    assert_memory_equal(plain, colons, sizeof plain);
}

static void what_is_no_fingerprint_is_refused(void **state)
{
    static const char *const words[] = {
        "",
        "sha256:",
        HEX,
        "sha256/" HEX,
        "sha256:" HEX "0",
        "sha256:" HEX "00",
        "sha256:" HEX ":",
        "sha256:" COLONS ":",
        "sha256::" COLONS,
        "sha256:0011:2233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "sha256:00:112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "sha256:0g112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "sha256:0 112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "sha256:0",
        "sha256:00:",
        "sha1:00112233445566778899aabbccddeeff00112233",
    };
    uint8_t digest[TG_SHA256_SIZE] = {0}, zero[TG_SHA256_SIZE] = {0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof words / sizeof *words; i++)
        assert_non_null(tg_fingerprint_read(arena, words[i], digest));
    assert_memory_equal(digest, zero, sizeof digest);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_of_rfc_3339_are_read),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(what_is_no_time_of_day_is_refused),
        cmocka_unit_test(times_up_to_the_epoch_are_refused),
        cmocka_unit_test(yes_and_no_are_all_there_is),
        cmocka_unit_test(a_pin_is_32_bytes),
        cmocka_unit_test(other_spellings_of_a_pin_are_refused),
        cmocka_unit_test(a_fingerprint_may_have_colons_between_all_bytes),
        cmocka_unit_test(what_is_no_fingerprint_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
