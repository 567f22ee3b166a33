/*
 * fold.c - what libcrypto compares is each value in UTF-8, without its outer spaces, inner ones as
 * one, ASCII letters small; the values of a relative name are sorted. So ASCII letters and digits
 * are counted, and of values in one relative name not their order.
 */
#include "fold.h"

enum { OID = 0x06, UNIVERSAL_STRING = 0x1c, BMP_STRING = 0x1e, SEQUENCE = 0x30, SET = 0x31 };

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static uint64_t add(uint64_t hash, uint32_t character)
{
    if (character - 'A' <= 'Z' - 'A')
        character += 'a' - 'A';
    if (character - 'a' <= 'z' - 'a' || character - '0' <= '9' - '0')
        hash = (hash ^ character) * FNV_PRIME;
    return hash;
}

/* Characters of WIDTH bytes each. */
static bool add_value(uint64_t *hash, struct tg_der value, size_t width)
{
    uint64_t sum = *hash;

    if ((size_t)(value.end - value.at) % width != 0)
        return false;
    while (value.at < value.end) {
        uint32_t character = *value.at++;

        for (size_t i = 1; i < width; i++)
            character = character << 8 | *value.at++;
        sum = add(sum, character);
    }
    *hash = sum;
    return true;
}

static bool fold_attribute(struct tg_der *from, uint64_t *sum)
{
    struct tg_der attribute, oid, value;
    uint64_t hash = FNV_BASIS;
    uint8_t tag;

    if (!tg_der_take(from, SEQUENCE, &attribute) || !tg_der_take(&attribute, OID, &oid) ||
        !tg_der_next(&attribute, &tag, &value) || attribute.at != attribute.end)
        return false;
    for (; oid.at < oid.end; oid.at++)
        hash = (hash ^ *oid.at) * FNV_PRIME;
    if (!add_value(&hash, value, tag == BMP_STRING ? 2 : tag == UNIVERSAL_STRING ? 4 : 1))
        return false;
    *sum += hash;
    return true;
}

bool tg_fold_name(struct tg_der name, uint64_t *fold)
{
    uint64_t sum = 0;

    while (name.at < name.end) {
        struct tg_der set;

        if (!tg_der_take(&name, SET, &set))
            return false;
        while (set.at < set.end)
            if (!fold_attribute(&set, &sum))
                return false;
    }
    *fold = sum;
    return true;
}
