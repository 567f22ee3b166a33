/* known-hosts files: what a line may be, hostile ones, and how many lines are looked up. */
#include "diag.h"
#include "known.h"
#include "text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ZEROS "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define ONES  "sha256/AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="

static uint8_t zeros[TG_SHA256_SIZE], ones[TG_SHA256_SIZE];

/* LENGTH bytes as a file. NULL, and the diagnostics in SAID (free it), where they are refused. */
static struct tg_known *read_bytes(const char *bytes, size_t length, char **said)
{
    struct tg_diags diags = {0};
    char *text = malloc(length + 1);
    struct tg_known *known;

    assert_non_null(text);
    memcpy(text, bytes, length);
    text[length] = '\0';
    known = tg_known_read("known", text, length, &diags);
    *said = tg_diags_text(&diags);
    assert_int_equal(known == NULL, diags.errors > 0);
    tg_diags_clear(&diags);
    free(text);
    return known;
}

static struct tg_known *read_good(const char *text)
{
    char *said = NULL;
    struct tg_known *known = read_bytes(text, strlen(text), &said);

    if (!known)
        fail_msg("%s", said);
    free(said);
    return known;
}

static void expect_bad(const char *bytes, size_t length, const char *place, const char *sentence)
{
    char *said = NULL, *wanted = NULL;

    assert_null(read_bytes(bytes, length, &said));
    assert_true(asprintf(&wanted, "known:%s: error: %s", place, sentence) > 0);
    if (strncmp(said, wanted, strlen(wanted)) != 0)
        fail_msg("wanted %s, got %s", wanted, said);
    free(said);
    free(wanted);
}

static void bad(const char *text, const char *place, const char *sentence)
{
    expect_bad(text, strlen(text), place, sentence);
}

static bool pins(const struct tg_known *known, const char *host, unsigned port,
                 const uint8_t pin[TG_SHA256_SIZE])
{
    return tg_known_has(tg_known_find(known, host, port), pin);
}

static void test_lines(void **state)
{
    struct tg_known *known = read_good("# a comment\n"
                                       "\n \t\n"
                                       "a.example " ZEROS "\r\n"
                                       "  B.Example.:443\t" ZEROS "," ONES "  # c\xC3\xA9\n"
                                       "[2001:DB8::0:1]:8443 " ONES " # x\n"
                                       "::ffff:192.0.2.1 " ONES);
    (void)state;

    assert_true(pins(known, "a.example", 0, zeros));
    assert_false(pins(known, "a.example", 0, ones));
    assert_null(tg_known_find(known, "a.example", 443));
    assert_null(tg_known_find(known, "b.example", 0));
    assert_true(pins(known, "b.example", 443, zeros) && pins(known, "b.example", 443, ones));
    assert_int_equal(tg_known_find(known, "b.example", 443)->line, 5);
    assert_true(pins(known, "2001:db8::1", 8443, ones));
    assert_true(pins(known, "192.0.2.1", 0, ones));
    assert_null(tg_known_find(known, "", 0));
    assert_false(tg_known_has(NULL, zeros));
    tg_known_free(known);
}

static void test_lines_of_one_host_add_up(void **state)
{
    struct tg_known *known = read_good("a.example " ZEROS "\nA.example. " ONES "\n");

    (void)state;
    assert_true(pins(known, "a.example", 0, zeros) && pins(known, "a.example", 0, ones));
    tg_known_free(known);
}

static void test_empty(void **state)
{
    (void)state;
    tg_known_free(read_good(""));
    tg_known_free(read_good("\n\n#\n"));
    tg_known_free(NULL);
}

static void test_bad_lines(void **state)
{
    (void)state;
    bad("a.example", "1:10", "there is no pin behind the host");
    bad("a.example # " ZEROS, "1:11", "there is no pin behind the host");
    bad("\n a.example sha256/AAAA", "2:12", "\"sha256/AAAA\" is not sha256/ and the 44");
    bad("a.example " ZEROS ",", "1:63", "\"\" is not sha256/");
    bad("a.example " ZEROS " , " ONES, "1:63", "only a comment");
    bad("a.example " ZEROS " " ONES, "1:63", "only a comment");
    bad("a.example:0 " ZEROS, "1:11", "\"a.example:0\" has no port from 1 to 65535");
    bad("*.example " ZEROS, "1:1", "\"*.example\" is not one host");
    bad("* " ZEROS, "1:1", "\"*\" is not one host");
    bad("192.0.2.0/24 " ZEROS, "1:1", "\"192.0.2.0/24\" is not one host");
    bad("b\xC3\xBC"
        "cher.example " ZEROS,
        "1:2",
        "\"b\xC3\xBC"
        "cher.example\" isn't ASCII");
    bad("a..example " ZEROS, "1:3", "\"a..example\" has an empty label");
    bad("https://a.example " ZEROS, "1:1", "\"https://a.example\" is a URL");
    bad("a.example sha256:"
        "00",
        "1:11", "\"sha256:00\" is not sha256/");
    bad(ZEROS, "1:1", "");
}

static void test_hostile_bytes(void **state)
{
    static const char nul[] = "a.example " ZEROS "\0evil";
    char *line = malloc(1 << 20);

    (void)state;
    assert_non_null(line);
    expect_bad(nul, sizeof nul - 1, "1:62", "the control character U+0000");
    bad("a.example " ZEROS " # \x1b[31m", "1:65", "the control character U+001B");
    bad("a.example " ZEROS " # \xff", "1:65", "this byte is not UTF-8");
    bad("a.example " ZEROS " # \xE2\x80\xAE", "1:65", "the control character U+202E");
    memset(line, 'a', 1 << 20);
    expect_bad(line, 1 << 20, "1:4097", "the line is longer than 4096 bytes");
    expect_bad(line, TG_KNOWN_LINE_MAX, "1:1", "is longer than any host's name");
    memcpy(line, "a.example ", 10);
    expect_bad(line, TG_KNOWN_LINE_MAX, "1:11", "is longer than a pin");
    free(line);
}

static void test_many_pins(void **state)
{
    struct tg_buf text = {0};

    (void)state;
    tg_buf_add(&text, "a.example " ONES);
    for (int i = 1; i < TG_KNOWN_PINS_MAX; i++)
        tg_buf_add(&text, "," ONES);
    tg_known_free(read_good(text.text));
    tg_buf_add(&text, "," ONES);
    bad(text.text, "1:843", "more than 16 pins");
    tg_buf_free(&text);
}

static void test_all_errors_are_told(void **state)
{
    char *said = NULL;

    (void)state;
    assert_null(read_bytes("x\na.example " ZEROS "\ny\n", 66, &said));
    assert_non_null(strstr(said, "known:1:2: error"));
    assert_non_null(strstr(said, "known:3:2: error"));
    free(said);
}

static void test_many_lines(void **state)
{
    enum { LINES = 20000 };
    struct tg_buf text = {0};
    struct tg_known *known;
    char host[32];

    (void)state;
    for (int i = 0; i < LINES; i++)
        tg_buf_printf(&text, "host%d.example:%d %s\n", i, i % 3 + 1, i % 2 ? ONES : ZEROS);
    known = read_good(text.text);
    for (int i = 0; i < LINES; i++) {
        snprintf(host, sizeof host, "host%d.example", i);
        assert_true(pins(known, host, (unsigned)(i % 3 + 1), i % 2 ? ones : zeros));
        assert_false(pins(known, host, (unsigned)(i % 3 + 1), i % 2 ? zeros : ones));
        assert_null(tg_known_find(known, host, 4));
    }
    tg_known_free(known);
    tg_buf_free(&text);
}

static void test_files(void **state)
{
    char path[] = "/tmp/test_known-XXXXXX";
    struct tg_diags diags = {0};
    struct tg_known *known;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a.example " ZEROS, 61), 61);
    known = tg_known_load(path, &diags);
    assert_true(pins(known, "a.example", 0, zeros));
    tg_known_free(known);
    assert_int_equal(fchmod(fd, 0666), 0);
    assert_null(tg_known_load(path, &diags));
    assert_int_equal(diags.errors, 1);
    assert_null(tg_known_load("/tmp", &diags));
    assert_null(tg_known_load("/dev/zero", &diags));
    assert_null(tg_known_load("/nowhere/known", &diags));
    assert_int_equal(diags.errors, 4);
    tg_diags_clear(&diags);
    close(fd);
    unlink(path);
}

static int set_up(void **state)
{
    (void)state;
    memset(ones, 1, sizeof ones);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_lines_of_one_host_add_up),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_hostile_bytes),
        cmocka_unit_test(test_many_pins),
        cmocka_unit_test(test_all_errors_are_told),
        cmocka_unit_test(test_many_lines),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
