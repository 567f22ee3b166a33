/* What is said about a policy's text, and how it looks. */
#include "diag.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILE_NAME "policy.conf"

/* Frees TEXT. */
static void assert_text(char *text, const char *expected)
{
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void a_list_without_errors_has_not_failed(void **state)
{
    struct tg_diags diags = {0};

    (void)state;
    assert_false(tg_diags_failed(&diags));
    assert_text(tg_diags_text(&diags), "");
    assert_text(tg_diags_summary(&diags), "");
    tg_diag_add(&diags, TG_WARNING, FILE_NAME, 1, 1, NULL, "a warning");
    assert_false(tg_diags_failed(&diags));
    assert_text(tg_diags_summary(&diags), "");
    tg_diag_add(&diags, TG_ERROR, FILE_NAME, 1, 1, NULL, "an error");
    assert_true(tg_diags_failed(&diags));
    tg_diags_clear(&diags);
    assert_false(tg_diags_failed(&diags));
}

static void the_caret_stands_below_the_column(void **state)
{
    static const struct {
        const char *line;
        unsigned column;
        const char *shown;
    } cases[] = {
        {"strict = maybe", 10, "  strict = maybe\n           ^\n"},
        {"strict", 7, "  strict\n        ^\n"},
        {"\tstrict\t= maybe", 9, "          strict  = maybe\n                  ^\n"},
        {"caf\xC3\xA9 = x", 9, "  caf\xC3\xA9 = x\n         ^\n"},
        {"a\x1B[b = x", 4, "  a\\x1B[b = x\n        ^\n"},
        {"", 1, "  \n  ^\n"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tg_diags diags = {0};
        char *text;

        tg_diag_add(&diags, TG_ERROR, FILE_NAME, 3, cases[i].column, cases[i].line, "x");
        text = tg_diags_text(&diags);
        assert_non_null(text);
        assert_string_equal(strchr(text, '\n') + 1, cases[i].shown);
        free(text);
        tg_diags_clear(&diags);
    }
}

static void the_head_has_what_is_known_of_the_place(void **state)
{
    struct tg_diags diags = {0};

    (void)state;
    tg_diag_add(&diags, TG_ERROR, FILE_NAME, 0, 0, NULL, "No such file");
    tg_diag_add(&diags, TG_WARNING, FILE_NAME, 4, 0, NULL, "a line");
    tg_diag_add(&diags, TG_ERROR, "new\nline", 4, 2, NULL, "a column");
    assert_text(tg_diags_text(&diags), "policy.conf: error: No such file\n"
                                       "policy.conf:4: warning: a line\n"
                                       "new\\x0Aline:4:2: error: a column\n");
    assert_text(tg_diags_summary(&diags), "policy.conf: No such file (and 1 more)");
    tg_diags_clear(&diags);
}

static void hostile_bytes_are_escaped(void **state)
{
    struct tg_diags diags = {0};

    (void)state;
    tg_diag_add(&diags, TG_ERROR, FILE_NAME, 1, 1, "\x1B]0;x\x07\xFF", "\"%s\"",
                "\x1B[2J\r\n\xC2\x9B\xFF\\");
    assert_string_equal(diags.diag[0].text, "\"\\x1B[2J\\x0D\\x0A\\xC2\\x9B\\xFF\\\"");
    assert_string_equal(diags.diag[0].source, "\\x1B]0;x\\x07\\xFF");
    tg_diags_clear(&diags);
}

static void long_lines_are_cut_around_the_column(void **state)
{
    struct tg_diags diags = {0};
    size_t length = 1 << 20, i;
    char *line = malloc(length + 1);

    (void)state;
    assert_non_null(line);
    memset(line, 'x', length);
    line[length] = '\0';
    line[500000] = '!';
    for (i = 0; i < 5000; i++) /* no more than what is shown is looked at */
        tg_diag_add(&diags, TG_ERROR, FILE_NAME, 1, 500001, line, "%s", line);
    assert_int_equal(diags.count, 5000);
    assert_true(strlen(diags.diag[0].source) < 300);
    assert_true(strlen(diags.diag[0].text) < 1100);
    assert_int_equal(diags.diag[0].source[diags.diag[0].caret], '!');
    tg_diags_clear(&diags);
    free(line);
}

static void a_cut_never_halves_a_character(void **state)
{
    char line[2001] = "";
    unsigned i;

    (void)state;
    for (i = 0; i < 2000; i += 2)
        memcpy(line + i, "\xC3\xA9", 2);
    for (i = 501; i < 509; i += 2) {
        struct tg_diags diags = {0};

        tg_diag_add(&diags, TG_ERROR, FILE_NAME, 1, i, line, "x");
        assert_null(strstr(diags.diag[0].source, "\\x"));
        tg_diags_clear(&diags);
    }
}

static void beyond_a_bound_errors_are_only_counted(void **state)
{
    struct tg_diags diags = {0};
    char *text;
    int i;

    (void)state;
    for (i = 0; i < TG_DIAGS_KEPT + 5; i++)
        tg_diag_add(&diags, TG_ERROR, FILE_NAME, 1, 1, NULL, "x");
    assert_int_equal(diags.count, TG_DIAGS_KEPT);
    assert_int_equal(diags.errors, TG_DIAGS_KEPT + 5);
    text = tg_diags_text(&diags);
    assert_non_null(strstr(text, "\nand 5 more errors\n"));
    free(text);
    tg_diags_clear(&diags);
}

static void a_lost_diagnostic_is_an_error(void **state)
{
    struct tg_diags diags = {.lost = true};

    (void)state;
    assert_true(tg_diags_failed(&diags));
    assert_text(tg_diags_text(&diags), "error: memory ran out; more may be wrong\n");
    assert_text(tg_diags_summary(&diags), "memory ran out");
    tg_diags_clear(&diags);
}

static unsigned rank(void *arg, const char *file)
{
    return strcmp(file, arg) == 0 ? 0 : 1;
}

static void sorting_goes_by_file_line_and_column(void **state)
{
    struct tg_diags diags = {0};
    char first[] = "main.conf";

    (void)state;
    tg_diag_add(&diags, TG_ERROR, "z", 9, 9, NULL, "stays");
    tg_diag_add(&diags, TG_ERROR, "a.conf", 1, 1, NULL, "6");
    tg_diag_add(&diags, TG_ERROR, "main.conf", 2, 3, NULL, "3");
    tg_diag_add(&diags, TG_WARNING, "main.conf", 2, 3, NULL, "4");
    tg_diag_add(&diags, TG_ERROR, "main.conf", 10, 1, NULL, "5");
    tg_diag_add(&diags, TG_ERROR, "main.conf", 2, 1, NULL, "2");
    tg_diag_add(&diags, TG_ERROR, "main.conf", 1, 7, NULL, "1");
    tg_diags_sort(&diags, 1, rank, first);
    assert_text(tg_diags_text(&diags),
                "z:9:9: error: stays\nmain.conf:1:7: error: 1\nmain.conf:2:1: error: 2\n"
                "main.conf:2:3: error: 3\nmain.conf:2:3: warning: 4\nmain.conf:10:1: error: 5\n"
                "a.conf:1:1: error: 6\n");
    tg_diags_clear(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_without_errors_has_not_failed),
        cmocka_unit_test(the_caret_stands_below_the_column),
        cmocka_unit_test(the_head_has_what_is_known_of_the_place),
        cmocka_unit_test(hostile_bytes_are_escaped),
        cmocka_unit_test(long_lines_are_cut_around_the_column),
        cmocka_unit_test(a_cut_never_halves_a_character),
        cmocka_unit_test(beyond_a_bound_errors_are_only_counted),
        cmocka_unit_test(a_lost_diagnostic_is_an_error),
        cmocka_unit_test(sorting_goes_by_file_line_and_column),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
