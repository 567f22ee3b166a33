#include "hint.h"
#include <stdint.h>
#include <string.h>

/* Longer words have no near neighbours, and the time is the product of two lengths. */
enum { LONGEST = 40 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same(char a, char b)
{
    return lower(a) == lower(b);
}

/* How many letters to insert, drop, replace or swap with their neighbour make B of A. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 1], length_a = strlen(a), length_b = strlen(b);

    for (size_t j = 0; j <= length_b; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= length_a; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= length_b; j++) {
            row[j] =
                least(least(above[j], row[j - 1]) + 1, above[j - 1] + !same(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[length_a % 3][length_b];
}

void tg_hint_offer(struct tg_hint *hint, const char *known)
{
    size_t length = strnlen(hint->wanted, LONGEST + 1), found;

    if (length > LONGEST || strnlen(known, LONGEST + 1) > LONGEST)
        return;
    found = distance(hint->wanted, known);
    if (found > 1 + length / 4 || found >= length ||
        (hint->best != NULL && found >= hint->distance))
        return;
    hint->best = known;
    hint->distance = found;
}

const char *tg_hint_text(struct tg_arena *arena, const struct tg_hint *hint)
{
    return hint->best != NULL ? tg_arena_sentence(arena, "did you mean %s?", hint->best) : NULL;
}
