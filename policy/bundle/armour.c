#include "armour.h"
#include <endian.h>
#include <string.h>

/* The longest line, its end included: libcrypto takes longer ones apart. */
#define LINE_MAX_SIZE 250

#define BEGIN "-----BEGIN "
#define END   "-----END "
#define TAIL  "-----"

struct text {
    char *at, *end;
};

struct line {
    const char *at;
    size_t size; /* without the white space at its end */
};

enum kind { KIND_NONE, KIND_PLAIN, KIND_TRUSTED };

/* A line that is all there is in it. */
struct whole {
    const char *text;
    size_t size;
};

static const struct {
    struct whole begin, end;
    enum kind kind;
} labels[] = {
#define WHOLE(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
#define LABEL(name, kind)                                                                          \
    {                                                                                              \
        WHOLE(BEGIN name TAIL), WHOLE(END name TAIL), kind                                         \
    }
    LABEL("CERTIFICATE", KIND_PLAIN),
    LABEL("TRUSTED CERTIFICATE", KIND_TRUSTED),
    LABEL("X509 CERTIFICATE", KIND_PLAIN),
#undef LABEL
#undef WHOLE
};
#define LABELS (sizeof(labels) / sizeof(labels[0]))

static bool is_space(char character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

/* What is left of the line that began at BEGIN, and moves on behind it. */
static bool rest_of_line(struct text *text, const char *begin, struct line *line)
{
    bool over = text->at < text->end && *text->at == '\n';
    char *end = over ? text->at : memchr(text->at, '\n', (size_t)(text->end - text->at));
    char *next = end != NULL ? end + 1 : text->end;

    line->at = text->at;
    line->size = (size_t)((end != NULL ? end : text->end) - text->at);
    if (next - begin > LINE_MAX_SIZE)
        return false;
    text->at = next;
    while (line->size > 0 && is_space(line->at[line->size - 1]))
        line->size--;
    return true;
}

static bool next_line(struct text *text, struct line *line)
{
    return rest_of_line(text, text->at, line);
}

static bool begins(const struct line *line, const char *with)
{
    return line->size >= strlen(with) && memcmp(line->at, with, strlen(with)) == 0;
}

static bool is(const struct line *line, const struct whole *whole)
{
    return line->size == whole->size && memcmp(line->at, whole->text, whole->size) == 0;
}

/*
 * What each of four characters adds to the three bytes that they are, the first of these lowest,
 * and above them ONE of each. A character that is none adds nothing.
 */
#define ONE                     (UINT32_C(1) << 24)
#define ALL                     (4 * ONE)
#define FIRST(character, bits)  [character] = ONE | (bits) << 2,
#define SECOND(character, bits) [character] = ONE | (bits) >> 4 | ((bits)&15) << 12,
#define THIRD(character, bits)  [character] = ONE | (bits) >> 2 << 8 | ((bits)&3) << 22,
#define FOURTH(character, bits) [character] = ONE | (bits) << 16,

// clang-format off
#define ALPHABET(X)                                                                                \
    X('A',  0) X('B',  1) X('C',  2) X('D',  3) X('E',  4) X('F',  5) X('G',  6) X('H',  7)        \
    X('I',  8) X('J',  9) X('K', 10) X('L', 11) X('M', 12) X('N', 13) X('O', 14) X('P', 15)        \
    X('Q', 16) X('R', 17) X('S', 18) X('T', 19) X('U', 20) X('V', 21) X('W', 22) X('X', 23)        \
    X('Y', 24) X('Z', 25) X('a', 26) X('b', 27) X('c', 28) X('d', 29) X('e', 30) X('f', 31)        \
    X('g', 32) X('h', 33) X('i', 34) X('j', 35) X('k', 36) X('l', 37) X('m', 38) X('n', 39)        \
    X('o', 40) X('p', 41) X('q', 42) X('r', 43) X('s', 44) X('t', 45) X('u', 46) X('v', 47)        \
    X('w', 48) X('x', 49) X('y', 50) X('z', 51) X('0', 52) X('1', 53) X('2', 54) X('3', 55)        \
    X('4', 56) X('5', 57) X('6', 58) X('7', 59) X('8', 60) X('9', 61) X('+', 62) X('/', 63)
// clang-format on

static const uint32_t first[256] = {ALPHABET(FIRST)}, second[256] = {ALPHABET(SECOND)};
static const uint32_t third[256] = {ALPHABET(THIRD)}, fourth[256] = {ALPHABET(FOURTH)};

/* Four characters become three bytes; a fourth byte of OUT is overwritten. Less than ALL: one of
 * them is of no alphabet. */
static inline uint32_t decode_group(const char *four, uint8_t *out)
{
    uint32_t sum = first[(uint8_t)four[0]] + second[(uint8_t)four[1]] + third[(uint8_t)four[2]] +
                   fourth[(uint8_t)four[3]];
    uint32_t bytes = htole32(sum);

    memcpy(out, &bytes, sizeof(bytes));
    return sum;
}

/* Groups, two at a time, while there are such: nearly all of a file of CAs. */
static void decode_groups(struct text *text, uint8_t **out)
{
    char *at = text->at;
    uint8_t *to = *out;

    for (; text->end - at >= 8; at += 8, to += 6) {
        uint32_t sum = decode_group(at, to);

        if (!(sum & decode_group(at + 4, to + 3) & ALL))
            break;
    }
    text->at = at;
    *out = to;
}

/* The last four characters of a block, of which PADDING, 1 or 2, are '='. */
static bool decode_last(const char *four, unsigned padding, uint8_t *out)
{
    char filled[4] = {four[0], four[1], padding > 1 ? 'A' : four[2], 'A'};

    return decode_group(filled, out) & ALL && out[3 - padding] == 0; /* no bit is left over */
}

/* Where the bytes of a line go, and whether it was the last of its block. */
struct decoding {
    uint8_t *out;
    bool ended;
};

/* What is left of the line that began at BEGIN, which isn't empty. */
static bool decode_rest(const char *begin, const struct line *line, struct decoding *decoding)
{
    const char *at = line->at, *last = at + line->size - 4;
    uint8_t *out = decoding->out;
    unsigned padding;

    if (line->size == 0)
        return at > begin;
    if (line->size % 4 != 0)
        return false;
    for (; at < last; at += 4, out += 3)
        if (!(decode_group(at, out) & ALL))
            return false;
    padding = last[3] != '=' ? 0 : last[2] != '=' ? 1 : 2;
    decoding->ended = padding > 0;
    if (!(padding > 0 ? decode_last(at, padding, out) : decode_group(at, out) & ALL))
        return false;
    decoding->out = out + 3 - padding;
    return true;
}

/* The lines up to the one that is END; *OUT moves on behind what was decoded. */
static bool decode_block(struct text *text, const struct whole *end, uint8_t **out)
{
    struct decoding decoding = {.out = *out};
    struct line line;

    while (text->at < text->end) {
        const char *begin = text->at;

        decode_groups(text, &decoding.out);
        if (!rest_of_line(text, begin, &line))
            return false;
        if (line.at == begin && is(&line, end)) {
            *out = decoding.out;
            return true;
        }
        if (decoding.ended || !decode_rest(begin, &line, &decoding))
            return false;
    }
    return false;
}

static size_t label_of(const struct line *line)
{
    size_t label = 0;

    while (label < LABELS && !is(line, &labels[label].begin))
        label++;
    return label;
}

/* What was decoded never reaches the line that comes next: a group's bytes are fewer. */
bool tg_armour_read(char *text, size_t size, tg_armour_take *take, void *arg)
{
    struct text left = {text, text + size};
    uint8_t *out = (uint8_t *)text;
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
        if (!decode_block(&left, &labels[label].end, &out) || out == block ||
            !take(arg, block, (size_t)(out - block), labels[label].kind == KIND_TRUSTED))
            return false;
    }
    return true;
}
