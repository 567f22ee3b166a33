/* idna.c - the A-label of a name that was written in Unicode: Punycode, RFC 3492. */
#include "idna.h"
#include "host.h"
#include "text.h"
#include <string.h>

#define ALABEL_PREFIX "xn--"

/* RFC 3492 section 5. */
enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, FIRST_BIAS = 72, FIRST_CODE = 128 };

enum { LONGEST_LABEL = 63 }; /* RFC 1035 */

/* One label: as code points, as what was encoded of it so far, and the encoder's state. */
struct label {
    uint32_t code[LONGEST_LABEL];
    size_t count;
    char text[LONGEST_LABEL + 1];
    size_t length;
    uint32_t bias;
    bool failed;
};

/* The capitals that are their small letter less a constant. */
static uint32_t small_letter(uint32_t code)
{
    static const struct {
        uint32_t first, last, distance;
    } capitals[] = {{'A', 'Z', 32},     {0xC0, 0xD6, 32},   {0xD8, 0xDE, 32},
                    {0x391, 0x3A9, 32}, {0x400, 0x40F, 80}, {0x410, 0x42F, 32}};

    for (size_t i = 0; i < sizeof(capitals) / sizeof(*capitals); i++)
        if (code >= capitals[i].first && code <= capitals[i].last)
            return code + capitals[i].distance;
    return code;
}

static void put(struct label *label, char c)
{
    if (label->length == LONGEST_LABEL)
        label->failed = true;
    else
        label->text[label->length++] = c;
}

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;

    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    for (; delta > (BASE - TMIN) * TMAX / 2; k += BASE)
        delta /= BASE - TMIN;
    return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

/* A generalised variable-length integer, RFC 3492 section 3.3. */
static void put_integer(struct label *label, uint32_t value)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    uint32_t threshold;

    for (uint32_t k = BASE;; k += BASE) {
        threshold = k <= label->bias ? TMIN : k >= label->bias + TMAX ? TMAX : k - label->bias;
        if (value < threshold)
            break;
        put(label, digits[threshold + (value - threshold) % (BASE - threshold)]);
        value = (value - threshold) / (BASE - threshold);
    }
    put(label, digits[value]);
}

static uint32_t next_code(const struct label *label, uint32_t least)
{
    uint32_t next = UINT32_MAX;

    for (size_t i = 0; i < label->count; i++)
        if (label->code[i] >= least && label->code[i] < next)
            next = label->code[i];
    return next;
}

/*
 * RFC 3492 section 6.3 for what isn't ASCII in LABEL, of which BASIC code points are. With at
 * most 63 of them up to U+10FFFF, delta stays below 2^27.
 */
static void encode(struct label *label, uint32_t basic)
{
    uint32_t code = FIRST_CODE, delta = 0, handled = basic, next;

    label->bias = FIRST_BIAS;
    while (handled < label->count) {
        next = next_code(label, code);
        delta += (next - code) * (handled + 1);
        code = next;
        for (size_t i = 0; i < label->count; i++) {
            if (label->code[i] < code)
                delta++;
            if (label->code[i] != code)
                continue;
            put_integer(label, delta);
            label->bias = adapt(delta, handled + 1, handled == basic);
            delta = 0;
            handled++;
        }
        delta++;
        code++;
    }
}

static bool decode(struct label *label, const char *text, size_t length)
{
    size_t step;
    uint32_t code;

    for (size_t at = 0; at < length; at += step) {
        step = tg_utf8_decode(text + at, length - at, &code);
        if (step == 0 || label->count == LONGEST_LABEL)
            return false;
        label->code[label->count++] = small_letter(code);
    }
    return true;
}

/* TEXT as an A-label, or as it is but in small letters where it is ASCII. */
static bool convert(struct label *label, const char *text, size_t length)
{
    uint32_t basic = 0;

    if (!decode(label, text, length))
        return false;
    for (size_t i = 0; i < label->count; i++)
        basic += label->code[i] < FIRST_CODE;
    for (size_t i = 0; basic < label->count && ALABEL_PREFIX[i]; i++)
        put(label, ALABEL_PREFIX[i]);
    for (size_t i = 0; i < label->count; i++)
        if (label->code[i] < FIRST_CODE)
            put(label, (char)label->code[i]);
    if (basic < label->count) {
        if (basic > 0)
            put(label, '-');
        encode(label, basic);
    }
    return !label->failed;
}

char *tg_host_alabels(struct tg_arena *arena, const char *name, size_t length)
{
    char out[TG_HOST_SIZE];
    size_t at = 0, used = 0, end;

    for (;;) {
        struct label label = {0};
        const char *dot = memchr(name + at, '.', length - at);

        end = dot != NULL ? (size_t)(dot - name) : length;
        if (!convert(&label, name + at, end - at) || used + label.length + 1 >= sizeof(out))
            return NULL;
        memcpy(out + used, label.text, label.length);
        used += label.length;
        if (dot == NULL)
            break;
        out[used++] = '.';
        at = end + 1;
    }
    return tg_arena_strndup(arena, out, used);
}
