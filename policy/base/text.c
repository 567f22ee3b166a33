#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t tg_utf8_decode(const char *text, size_t length, uint32_t *code)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    const unsigned char *byte = (const unsigned char *)text;
    size_t form = 0;
    uint32_t value;

    while (form < 4 && (byte[0] & forms[form].mask) != forms[form].lead)
        form++;
    if (form >= 4 || length < form + 1)
        return 0;
    value = (uint32_t)(byte[0] & ~forms[form].mask);
    for (size_t i = 1; i <= form; i++) {
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (byte[i] & 0x3Fu);
    }
    if (value < forms[form].least || (value >= 0xD800 && value <= 0xDFFF) || value > 0x10FFFF)
        return 0;
    *code = value;
    return form + 1;
}

bool tg_utf8_unsafe(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } unsafe[] = {{0, 0x1F},        {0x7F, 0x9F},     {0x061C, 0x061C}, {0x200E, 0x200F},
                  {0x2028, 0x202E}, {0x2066, 0x2069}, {0xFEFF, 0xFEFF}};

    for (size_t i = 0; i < sizeof(unsafe) / sizeof(*unsafe); i++)
        if (code >= unsafe[i].first && code <= unsafe[i].last)
            return true;
    return false;
}

static size_t plain_run(const char *text, size_t length)
{
    size_t run = 0;

    while (run < length && text[run] >= ' ' && text[run] < 0x7F && text[run] != '"' &&
           text[run] != '\\')
        run++;
    return run;
}

struct tg_piece tg_utf8_next(const char *text, size_t length)
{
    struct tg_piece piece = {.kind = TG_PIECE_PLAIN, .text = text};

    piece.length = plain_run(text, length);
    if (piece.length > 0) {
        piece.code = (unsigned char)text[0];
        return piece;
    }
    piece.length = tg_utf8_decode(text, length, &piece.code);
    if (piece.length > 0) {
        piece.kind = tg_utf8_unsafe(piece.code) ? TG_PIECE_UNSAFE : TG_PIECE_SAFE;
        return piece;
    }
    piece.kind = TG_PIECE_BROKEN;
    piece.length = 1;
    return piece;
}

bool tg_utf8_clean(const char *text, size_t length, struct tg_piece *bad)
{
    struct tg_piece piece;

    for (size_t i = 0; i < length; i += piece.length) {
        piece = tg_utf8_next(text + i, length - i);
        if (piece.kind == TG_PIECE_BROKEN ||
            (piece.kind == TG_PIECE_UNSAFE && piece.code != '\t')) {
            *bad = piece;
            return false;
        }
    }
    return true;
}

static bool reserve(struct tg_buf *buf, size_t more)
{
    size_t capacity = buf->capacity ? buf->capacity : 64;
    char *text;

    if (buf->failed || more >= SIZE_MAX / 4 - buf->length) {
        buf->failed = true;
        return false;
    }
    while (capacity <= buf->length + more)
        capacity *= 2;
    if (buf->text != NULL && capacity == buf->capacity)
        return true;
    text = realloc(buf->text, capacity);
    if (text == NULL) {
        buf->failed = true;
        return false;
    }
    buf->text = text;
    buf->capacity = capacity;
    return true;
}

void tg_buf_addn(struct tg_buf *buf, const char *text, size_t length)
{
    if (!reserve(buf, length))
        return;
    if (length > 0)
        memcpy(buf->text + buf->length, text, length);
    buf->length += length;
    buf->text[buf->length] = '\0';
}

void tg_buf_add(struct tg_buf *buf, const char *text)
{
    tg_buf_addn(buf, text, strlen(text));
}

void tg_buf_expect(struct tg_buf *buf, size_t size)
{
    (void)reserve(buf, size);
}

void tg_buf_number(struct tg_buf *buf, long number)
{
    char digits[3 * sizeof(number) + 1], *at = digits + sizeof(digits);
    unsigned long rest = number < 0 ? 0 - (unsigned long)number : (unsigned long)number;

    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (number < 0)
        *--at = '-';
    tg_buf_addn(buf, at, (size_t)(digits + sizeof(digits) - at));
}

void tg_buf_vprintf(struct tg_buf *buf, const char *format, va_list args)
{
    char text[256]; /* enough for nearly all of what is written */
    va_list again;
    int length;

    va_copy(again, args);
    length = vsnprintf(text, sizeof(text), format, args);
    if (length < 0) {
        buf->failed = true;
    } else if ((size_t)length < sizeof(text)) {
        tg_buf_addn(buf, text, (size_t)length);
    } else if (reserve(buf, (size_t)length)) {
        vsnprintf(buf->text + buf->length, (size_t)length + 1, format, again);
        buf->length += (size_t)length;
    }
    va_end(again);
}

void tg_buf_printf(struct tg_buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tg_buf_vprintf(buf, format, args);
    va_end(args);
}

static void add_hex(struct tg_buf *buf, const char *text, size_t length)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        char escape[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};

        tg_buf_addn(buf, escape, sizeof(escape));
    }
}

void tg_buf_escape(struct tg_buf *buf, const char *text, size_t length)
{
    struct tg_piece piece;

    for (size_t i = 0; i < length; i += piece.length) {
        piece = tg_utf8_next(text + i, length - i);
        if (piece.kind == TG_PIECE_PLAIN || (piece.kind == TG_PIECE_SAFE && piece.code != '\\'))
            tg_buf_addn(buf, piece.text, piece.length);
        else
            add_hex(buf, piece.text, piece.length);
    }
}

static void add_json(struct tg_buf *buf, const struct tg_piece *piece)
{
    if (piece->kind == TG_PIECE_BROKEN)
        tg_buf_add(buf, "\xEF\xBF\xBD");
    else if (piece->kind == TG_PIECE_UNSAFE || piece->code == '"' || piece->code == '\\')
        tg_buf_printf(buf, "\\u%04x", (unsigned)piece->code);
    else
        tg_buf_addn(buf, piece->text, piece->length);
}

void tg_buf_json(struct tg_buf *buf, const char *text)
{
    size_t length = text != NULL ? strlen(text) : 0;
    struct tg_piece piece;

    if (text == NULL) {
        tg_buf_add(buf, "null");
        return;
    }
    tg_buf_add(buf, "\"");
    for (size_t i = 0; i < length; i += piece.length) {
        piece = tg_utf8_next(text + i, length - i);
        add_json(buf, &piece);
    }
    tg_buf_add(buf, "\"");
}

char *tg_buf_take(struct tg_buf *buf)
{
    char *text;

    if (buf->text == NULL)
        tg_buf_add(buf, "");
    text = buf->failed ? NULL : buf->text;
    if (text == NULL)
        free(buf->text);
    *buf = (struct tg_buf){0};
    return text;
}

void tg_buf_free(struct tg_buf *buf)
{
    free(buf->text);
    *buf = (struct tg_buf){0};
}
