#include "section.h"
#include <string.h>

/* Where a value stands in a text, or would: behind the line that ends at END. */
struct place {
    const char *value, *end; /* VALUE NULL: the key isn't set */
};

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

static const char *next_line(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));

    return newline != NULL ? newline + 1 : end;
}

/* The value of the setting AT..END, if its key is KEY; else NULL. */
static const char *value_of(const char *at, const char *end, const char *key)
{
    size_t length = strlen(key);

    if ((size_t)(end - at) <= length || memcmp(at, key, length) != 0)
        return NULL;
    at = skip_blanks(at + length, end);
    return at < end && *at == '=' ? skip_blanks(at + 1, end) : NULL;
}

/* Where the values AT..END end, which are the rest of a line: before blanks, or a comment. */
static const char *end_of_value(const char *at, const char *end)
{
    const char *last = at;
    bool quoted = false;

    for (bool blank = false; at < end && (quoted || !blank || *at != '#'); at++) {
        if (quoted && *at == '\\' && at + 1 < end)
            at++;
        else if (*at == '"')
            quoted = !quoted;
        blank = strchr(" \t\r\n", *at) != NULL;
        if (!blank)
            last = at + 1;
    }
    return last;
}

static struct place find(const struct tg_buf *text, unsigned line, const char *key)
{
    const char *at = text->text, *end = at + text->length, *next;
    struct place place = {0};

    while (--line > 0 && at < end)
        at = next_line(at, end);
    place.end = at = next_line(at, end);
    for (; at < end && place.value == NULL; at = next) {
        const char *first = skip_blanks(at, end);

        next = next_line(at, end);
        if (*first == '[')
            break;
        if (first == next || strchr("#\r\n", *first) != NULL)
            continue;
        place.value = value_of(first, next, key);
        place.end = place.value != NULL ? end_of_value(place.value, next) : next;
    }
    return place;
}

bool tg_section_sets(const struct tg_buf *text, unsigned line, const char *key)
{
    return find(text, line, key).value != NULL;
}

/* TEXT with VALUE between KEEP and PLACE's end. */
static void change(struct tg_buf *out, const struct tg_buf *text, const struct place *place,
                   const char *keep, const char *key, const char *value)
{
    const char *end = text->text + text->length;

    tg_buf_addn(out, text->text, (size_t)(keep - text->text));
    if (place->value != NULL)
        tg_buf_add(out, value);
    else
        tg_buf_printf(out, "%s%s = %s\n", keep[-1] != '\n' ? "\n" : "", key, value);
    tg_buf_addn(out, place->end, (size_t)(end - place->end));
}

void tg_section_add(struct tg_buf *out, const struct tg_buf *text, unsigned line, const char *key,
                    const char *value)
{
    struct place place = find(text, line, key);
    struct tg_buf more = {0};

    tg_buf_printf(&more, "%s%s", place.value != NULL ? ", " : "", value);
    change(out, text, &place, place.end, key, more.text != NULL ? more.text : "");
    out->failed = out->failed || more.failed;
    tg_buf_free(&more);
}

void tg_section_set(struct tg_buf *out, const struct tg_buf *text, unsigned line, const char *key,
                    const char *value)
{
    struct place place = find(text, line, key);

    change(out, text, &place, place.value != NULL ? place.value : place.end, key, value);
}
