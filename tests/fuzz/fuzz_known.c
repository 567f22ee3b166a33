/*
 * fuzz_known.c - any bytes as a known-hosts file: read, each line found again under its host and
 * port, or refused with diagnostics that a terminal can show. As fuzz_policy.c is run.
 */
#include "known.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_known: %s\n", what);
    abort();
}

#define REQUIRE(condition) require(condition, #condition)

static void check_diags(const struct tg_diags *diags)
{
    char *text = tg_diags_text(diags);

    REQUIRE(text != NULL);
    for (const char *at = text; *at; at++)
        REQUIRE((*at >= ' ' && *at != 0x7F) || (unsigned char)*at >= 0x80 || *at == '\n');
    free(text);
}

/* TEXT is one line of what was read as KNOWN. */
static void check_line(const struct tg_known *known, const char *text, size_t length)
{
    struct tg_arena *arena = tg_arena_new();
    struct tg_known_line line;
    size_t column = 0;
    const char *wrong;

    REQUIRE(arena != NULL);
    if (length > 0 && text[length - 1] == '\r')
        length--;
    wrong = tg_known_parse(arena, text, length, &line, &column);
    REQUIRE(!wrong || column <= length);
    REQUIRE((known != NULL) <= !wrong);
    REQUIRE(wrong || (line.host[0] == '\0') == (line.count == 0));
    for (size_t i = 0; known && i < line.count; i++)
        REQUIRE(tg_known_has(tg_known_find(known, line.host, line.port), line.pins[i]));
    tg_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    struct tg_diags diags = {0};
    char *text = malloc(size + 1);
    struct tg_known *known;

    REQUIRE(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    known = tg_known_read("known", text, size, &diags);
    REQUIRE((known == NULL) == (diags.errors > 0) && !diags.lost);
    check_diags(&diags);
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;

        check_line(known, at, (size_t)(stop - at));
        at = stop + 1;
    }
    tg_known_free(known);
    tg_diags_clear(&diags);
    free(text);
    return 0;
}
