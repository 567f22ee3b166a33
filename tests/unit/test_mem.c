/* The arena and the text buffer of mem.h. */
#include "mem.h"
#include "text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void arena_gives_zeroed_aligned_memory(void **state)
{
    static const size_t sizes[] = {0, 1, 7, 16, 100, 1000, 4096, 100000, 1 << 21};
    struct tg_arena *arena = tg_arena_new();
    size_t round, i, j;

    (void)state;
    assert_non_null(arena);
    for (round = 0; round < 50; round++)
        for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            unsigned char *bytes = tg_arena_alloc(arena, sizes[i]);

            assert_non_null(bytes);
            assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
            for (j = 0; j < sizes[i]; j++)
                assert_int_equal(bytes[j], 0);
            memset(bytes, 0xA5, sizes[i]);
        }
    tg_arena_free(arena);
    tg_arena_free(NULL);
}

static void arena_refuses_sizes_that_overflow(void **state)
{
    struct tg_arena *arena = tg_arena_new();

    (void)state;
    assert_null(tg_arena_alloc(arena, SIZE_MAX));
    assert_null(tg_arena_alloc(arena, SIZE_MAX - 8));
    assert_null(tg_arena_strndup(arena, "x", SIZE_MAX));
    assert_non_null(tg_arena_alloc(arena, 8));
    tg_arena_free(arena);
}

static void arena_copies_and_formats_text(void **state)
{
    struct tg_arena *arena = tg_arena_new();

    (void)state;
    assert_string_equal(tg_arena_strndup(arena, "anchors", 6), "anchor");
    assert_string_equal(tg_arena_strndup(arena, NULL, 0), "");
    assert_string_equal(tg_arena_sentence(arena, "%s is %d", "x", 7), "x is 7");
    tg_arena_free(arena);
}

static void buffer_grows_and_hands_over(void **state)
{
    struct tg_buf buf = {0};
    char *text;
    int i;

    (void)state;
    for (i = 0; i < 1000; i++)
        tg_buf_printf(&buf, "%03d,", i);
    tg_buf_add(&buf, "end");
    tg_buf_addn(&buf, "ing of more", 3);
    assert_int_equal(buf.length, 4006);
    assert_string_equal(buf.text + 3996, "999,ending");
    text = tg_buf_take(&buf);
    assert_null(buf.text);
    assert_int_equal(buf.length, 0);
    free(text);
    text = tg_buf_take(&buf); /* nothing was appended */
    assert_string_equal(text, "");
    free(text);
    tg_buf_free(&buf);
}

static void failed_buffer_gives_nothing(void **state)
{
    struct tg_buf buf = {0};

    (void)state;
    tg_buf_add(&buf, "x");
    tg_buf_addn(&buf, "y", SIZE_MAX / 2);
    assert_true(buf.failed);
    tg_buf_add(&buf, "z");
    assert_null(tg_buf_take(&buf));
    assert_false(buf.failed); /* empty again */
}

static void utf8_is_decoded_strictly(void **state)
{
    static const struct {
        const char *bytes;
        size_t length, step;
        uint32_t code;
    } cases[] = {
        {"a", 1, 1, 'a'},
        {"\0", 1, 1, 0},
        {"\x7F", 1, 1, 0x7F},
        {"\xC2\x80", 2, 2, 0x80},
        {"\xC3\xA9x", 3, 2, 0xE9},
        {"\xDF\xBF", 2, 2, 0x7FF},
        {"\xE0\xA0\x80", 3, 3, 0x800},
        {"\xE2\x82\xAC", 3, 3, 0x20AC},
        {"\xEF\xBF\xBF", 3, 3, 0xFFFF},
        {"\xF0\x90\x80\x80", 4, 4, 0x10000},
        {"\xF4\x8F\xBF\xBF", 4, 4, 0x10FFFF},
        {"\xC3", 1, 0, 0},             /* cut off */
        {"\xE2\x82", 2, 0, 0},         /* cut off */
        {"\xC3(", 2, 0, 0},            /* no continuation */
        {"\x80", 1, 0, 0},             /* continuation alone */
        {"\xC0\xAF", 2, 0, 0},         /* overlong / */
        {"\xC1\xBF", 2, 0, 0},         /* overlong */
        {"\xE0\x9F\xBF", 3, 0, 0},     /* overlong */
        {"\xF0\x8F\xBF\xBF", 4, 0, 0}, /* overlong */
        {"\xED\xA0\x80", 3, 0, 0},     /* surrogate */
        {"\xED\xBF\xBF", 3, 0, 0},     /* surrogate */
        {"\xF4\x90\x80\x80", 4, 0, 0}, /* above U+10FFFF */
        {"\xF8\x88\x80\x80\x80", 5, 0, 0},
        {"\xFF", 1, 0, 0},
    };
    uint32_t code;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        code = 0;
        assert_int_equal(tg_utf8_decode(cases[i].bytes, cases[i].length, &code), cases[i].step);
        assert_int_equal(code, cases[i].code);
    }
}

static void text_is_walked_piece_by_piece(void **state)
{
    static const char text[] = "ab\"\xC3\xA9\t\xFFz";
    static const struct {
        enum tg_piece_kind kind;
        size_t length;
    } pieces[] = {
        {TG_PIECE_PLAIN, 2},  {TG_PIECE_SAFE, 1},   {TG_PIECE_SAFE, 2},
        {TG_PIECE_UNSAFE, 1}, {TG_PIECE_BROKEN, 1}, {TG_PIECE_PLAIN, 1},
    };
    const char *at = text;

    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct tg_piece piece = tg_utf8_next(at, strlen(at));

        assert_ptr_equal(piece.text, at);
        assert_int_equal(piece.kind, pieces[i].kind);
        assert_int_equal(piece.length, pieces[i].length);
        at += piece.length;
    }
    assert_int_equal(*at, '\0');
}

static void unclean_text_is_told_by_its_first_piece(void **state)
{
    struct tg_piece bad = {.length = 0};

    (void)state;
    assert_true(tg_utf8_clean("", 0, &bad));
    assert_true(tg_utf8_clean("a\t\xC3\xA9\\\"", 6, &bad));
    assert_false(tg_utf8_clean("ab\x1B\xFF", 4, &bad));
    assert_int_equal(bad.kind, TG_PIECE_UNSAFE);
    assert_int_equal(bad.code, 0x1B);
    assert_false(tg_utf8_clean("ab\xE2\x82", 4, &bad));
    assert_int_equal(bad.kind, TG_PIECE_BROKEN);
}

static void hostile_text_is_escaped(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *shown;
    } cases[] = {
        {"plain \xC3\xA9", 8, "plain \xC3\xA9"},
        {"a\nb\x1B[31m", 8, "a\\x0Ab\\x1B[31m"},
        {"a\0b", 3, "a\\x00b"},
        {"\x7F\\", 2, "\\x7F\\x5C"},
        {"\xC2\x9B"
         "31m",
         5, "\\xC2\\x9B31m"},                   /* CSI as one C1 control */
        {"\xE2\x80\xAE", 3, "\\xE2\\x80\\xAE"}, /* right-to-left override */
        {"\xEF\xBB\xBF", 3, "\\xEF\\xBB\\xBF"},
        {"\xFF\xC3", 2, "\\xFF\\xC3"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tg_buf buf = {0};

        tg_buf_escape(&buf, cases[i].bytes, cases[i].length);
        assert_string_equal(buf.text, cases[i].shown);
        tg_buf_free(&buf);
    }
}

static void json_strings_are_valid(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {NULL, "null"},
        {"", "\"\""},
        {"a\"b\\c/", "\"a\\u0022b\\u005cc/\""},
        {"\n\x1F\x7F", "\"\\u000a\\u001f\\u007f\""},
        {"\xC3\xA9\xF0\x9F\x94\x92", "\"\xC3\xA9\xF0\x9F\x94\x92\""},
        {"a\xFF\xC3z", "\"a\xEF\xBF\xBD\xEF\xBF\xBDz\""},
        {"\xE2\x80\xA8", "\"\\u2028\""},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tg_buf buf = {0};

        tg_buf_json(&buf, cases[i].text);
        assert_string_equal(buf.text, cases[i].json);
        tg_buf_free(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(arena_refuses_sizes_that_overflow),
        cmocka_unit_test(arena_copies_and_formats_text),
        cmocka_unit_test(buffer_grows_and_hands_over),
        cmocka_unit_test(failed_buffer_gives_nothing),
        cmocka_unit_test(utf8_is_decoded_strictly),
        cmocka_unit_test(text_is_walked_piece_by_piece),
        cmocka_unit_test(unclean_text_is_told_by_its_first_piece),
        cmocka_unit_test(hostile_text_is_escaped),
        cmocka_unit_test(json_strings_are_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
