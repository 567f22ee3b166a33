#include "armour.h"
#include <string.h>

/* The longest line, its end included: libcrypto takes longer ones apart. */
#define LINE_MAX_SIZE 250

#define BEGIN "-----BEGIN "
#define END   "-----END "
#define TAIL  "-----"

struct text {
    const char *at, *end;
};

struct line {
    const char *at;
    size_t size; /* without the white space at its end */
};

enum kind { KIND_NONE, KIND_PLAIN, KIND_TRUSTED };

static const struct {
    const char *begin, *end;
    enum kind kind;
} labels[] = {
#define LABEL(name, kind)                                                                          \
    {                                                                                              \
        BEGIN name TAIL, END name TAIL, kind                                                       \
    }
    LABEL("CERTIFICATE", KIND_PLAIN),
    LABEL("TRUSTED CERTIFICATE", KIND_TRUSTED),
    LABEL("X509 CERTIFICATE", KIND_PLAIN),
#undef LABEL
};
#define LABELS (sizeof(labels) / sizeof(labels[0]))

static bool next_line(struct text *text, struct line *line)
{
    const char *end = memchr(text->at, '\n', (size_t)(text->end - text->at));
    const char *next = end != NULL ? end + 1 : text->end;

    line->at = text->at;
    line->size = (size_t)((end != NULL ? end : text->end) - text->at);
    if (next - text->at > LINE_MAX_SIZE)
        return false;
    text->at = next;
    while (line->size > 0 && memchr(" \t\r", line->at[line->size - 1], 3) != NULL)
        line->size--;
    return true;
}

static bool begins(const struct line *line, const char *with)
{
    return line->size >= strlen(with) && memcmp(line->at, with, strlen(with)) == 0;
}

static bool is(const struct line *line, const char *whole)
{
    return line->size == strlen(whole) && memcmp(line->at, whole, line->size) == 0;
}

/* The six bits of each character, and 0x80 of what is none. */
static const uint8_t *sextets(void)
{
    static const uint8_t sextet[256] = {
#define NONE16                                                                                     \
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80
        // clang-format off
        NONE16, NONE16,
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,   62, 0x80, 0x80, 0x80,   63,
          52,   53,   54,   55,   56,   57,   58,   59,   60,   61, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
        0x80,    0,    1,    2,    3,    4,    5,    6,    7,    8,    9,   10,   11,   12,   13,   14,
          15,   16,   17,   18,   19,   20,   21,   22,   23,   24,   25, 0x80, 0x80, 0x80, 0x80, 0x80,
        0x80,   26,   27,   28,   29,   30,   31,   32,   33,   34,   35,   36,   37,   38,   39,   40,
          41,   42,   43,   44,   45,   46,   47,   48,   49,   50,   51, 0x80, 0x80, 0x80, 0x80, 0x80,
        NONE16, NONE16, NONE16, NONE16, NONE16, NONE16, NONE16, NONE16,
    // clang-format on
#undef NONE16
    };

    return sextet;
}

/* Four characters become three bytes. */
static bool decode_group(const char *four, uint8_t *out)
{
    const uint8_t *sextet = sextets();
    uint8_t a = sextet[(uint8_t)four[0]], b = sextet[(uint8_t)four[1]];
    uint8_t c = sextet[(uint8_t)four[2]], d = sextet[(uint8_t)four[3]];

    out[0] = (uint8_t)(a << 2 | b >> 4);
    out[1] = (uint8_t)(b << 4 | c >> 2);
    out[2] = (uint8_t)(c << 6 | d);
    return ((a | b | c | d) & 0x80) == 0;
}

/* The last four characters of a block, of which PADDING, 1 or 2, are '='. */
static bool decode_last(const char *four, unsigned padding, uint8_t *out)
{
    char filled[4] = {four[0], four[1], padding > 1 ? 'A' : four[2], 'A'};

    return decode_group(filled, out) && out[3 - padding] == 0; /* no bit is left over */
}

/* Where the bytes of a line go, and whether it was the last of its block. */
struct decoding {
    uint8_t *out;
    bool ended;
};

static bool decode_line(const struct line *line, struct decoding *decoding)
{
    const char *at = line->at, *last = line->at + line->size - 4;
    unsigned padding;

    if (line->size == 0 || line->size % 4 != 0 || decoding->ended)
        return false;
    for (; at < last; at += 4, decoding->out += 3)
        if (!decode_group(at, decoding->out))
            return false;
    padding = last[3] != '=' ? 0 : last[2] != '=' ? 1 : 2;
    decoding->ended = padding > 0;
    if (!(padding > 0 ? decode_last(at, padding, decoding->out) : decode_group(at, decoding->out)))
        return false;
    decoding->out += 3 - padding;
    return true;
}

/* The lines up to the one that is END; *OUT moves on behind what was decoded. */
static bool decode_block(struct text *text, const char *end, uint8_t **out)
{
    struct decoding decoding = {.out = *out};
    struct line line;

    while (text->at < text->end && next_line(text, &line)) {
        if (is(&line, end)) {
            *out = decoding.out;
            return true;
        }
        if (!decode_line(&line, &decoding))
            return false;
    }
    return false;
}

static size_t label_of(const struct line *line)
{
    size_t label = 0;

    while (label < LABELS && !is(line, labels[label].begin))
        label++;
    return label;
}

bool tg_armour_read(const char *text, size_t size, uint8_t *out, tg_armour_take *take, void *arg)
{
    struct text left = {text, text + size};
    struct line line;

    if (memchr(text, '\0', size) != NULL)
        return false;
    while (left.at < left.end) {
        uint8_t *block = out;
        size_t label;

        if (!next_line(&left, &line))
            return false;
        label = label_of(&line);
        if (label == LABELS) {
            if (begins(&line, TAIL) || begins(&line, "\xef\xbb\xbf"))
                return false;
            continue;
        }
        if (!decode_block(&left, labels[label].end, &out) || out == block ||
            !take(arg, block, (size_t)(out - block), labels[label].kind == KIND_TRUSTED))
            return false;
    }
    return true;
}
