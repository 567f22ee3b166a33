#include "der.h"

enum {
    INTEGER = 0x02,
    BIT_STRING = 0x03,
    OID = 0x06,
    UTF8_STRING = 0x0c,
    NUMERIC_STRING = 0x12,
    PRINTABLE_STRING = 0x13,
    T61_STRING = 0x14,
    IA5_STRING = 0x16,
    UNIVERSAL_STRING = 0x1c,
    BMP_STRING = 0x1e,
    SEQUENCE = 0x30,
    SET = 0x31
};

static size_t size(const struct tg_der *der)
{
    return (size_t)(der->end - der->at);
}

static bool is_over(const struct tg_der *der)
{
    return der->at == der->end;
}

bool tg_der_length(struct tg_der *from, size_t *length)
{
    size_t bytes;

    if (is_over(from))
        return false;
    bytes = *from->at++;
    if (bytes < 0x81 || bytes > 0x83)
        return false;
    bytes -= 0x80;
    if (size(from) < bytes || *from->at == 0)
        return false;
    for (*length = 0; bytes > 0; bytes--)
        *length = *length << 8 | *from->at++;
    return *length >= 0x80;
}

/* Its numbers are in as few bytes as can be, of which all but the last have the highest bit. */
static bool is_oid(const struct tg_der *oid)
{
    uint8_t before = 0;

    if (is_over(oid) || oid->end[-1] & 0x80)
        return false;
    for (const uint8_t *at = oid->at; at < oid->end; before = *at++)
        if (*at == 0x80 && !(before & 0x80))
            return false;
    return true;
}

bool tg_der_oid(struct tg_der *from, struct tg_der *content)
{
    return tg_der_take(from, OID, content) && is_oid(content);
}

bool tg_der_is_integer(const struct tg_der *content)
{
    /* Nine bits that are alike: it is longer than it has to be. */
    return !is_over(content) &&
           (size(content) == 1 || content->at[0] != (content->at[1] & 0x80 ? 0xff : 0));
}

bool tg_der_integer(struct tg_der *from, struct tg_der *content)
{
    return tg_der_take(from, INTEGER, content) && tg_der_is_integer(content);
}

bool tg_der_bits(struct tg_der *from, struct tg_der *content)
{
    return tg_der_take(from, BIT_STRING, content) && !is_over(content) &&
           content->at[0] <= (size(content) > 1 ? 7 : 0);
}

/* ---- names: libcrypto decodes none that it can't bring into UTF-8 --------------------------- */

static bool is_scalar(uint32_t value)
{
    return value < 0x110000 && (value < 0xd800 || value > 0xdfff);
}

/* One character of UTF-8 in its shortest form (RFC 3629). */
static bool take_utf8(struct tg_der *text)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint8_t first = *text->at++;
    size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    uint32_t value = more == 0 ? first : first & (0x3fu >> more);

    if ((first >= 0x80 && first < 0xc0) || first >= 0xf8 || size(text) < more)
        return false;
    for (size_t i = 0; i < more; i++) {
        if ((*text->at & 0xc0) != 0x80)
            return false;
        value = value << 6 | (*text->at++ & 0x3fu);
    }
    return value >= least[more] && is_scalar(value);
}

static bool is_utf8(struct tg_der text)
{
    while (!is_over(&text))
        if (!take_utf8(&text))
            return false;
    return true;
}

/* Characters of WIDTH bytes each. */
static bool is_wide(struct tg_der text, size_t width)
{
    if (size(&text) % width != 0)
        return false;
    while (!is_over(&text)) {
        uint32_t value = 0;

        for (size_t i = 0; i < width; i++)
            value = value << 8 | *text.at++;
        if (!is_scalar(value))
            return false;
    }
    return true;
}

static bool take_text(struct tg_der *from)
{
    struct tg_der text;
    uint8_t tag;

    if (!tg_der_next(from, &tag, &text) || is_over(&text))
        return false;
    switch (tag) {
    case UTF8_STRING:
        return is_utf8(text);
    case BMP_STRING:
        return is_wide(text, 2);
    case UNIVERSAL_STRING:
        return is_wide(text, 4);
    case PRINTABLE_STRING:
    case IA5_STRING:
    case T61_STRING:
    case NUMERIC_STRING:
        return true;
    default:
        return false;
    }
}

static bool take_relative_name(struct tg_der *from)
{
    struct tg_der set, attribute, oid;

    if (!tg_der_take(from, SET, &set) || is_over(&set))
        return false;
    while (!is_over(&set))
        if (!tg_der_take(&set, SEQUENCE, &attribute) || !tg_der_oid(&attribute, &oid) ||
            !take_text(&attribute) || !is_over(&attribute))
            return false;
    return true;
}

bool tg_der_name(struct tg_der *from, struct tg_der *content)
{
    struct tg_der rest;

    if (!tg_der_take(from, SEQUENCE, content) || is_over(content))
        return false;
    rest = *content;
    while (!is_over(&rest))
        if (!take_relative_name(&rest))
            return false;
    return true;
}
