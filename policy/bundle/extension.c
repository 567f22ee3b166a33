#include "extension.h"
#include <string.h>

enum {
    BOOLEAN = 0x01,
    OCTET_STRING = 0x04,
    SEQUENCE = 0x30,
    /* by the number in brackets, RFC 5280 appendix A.2 */
    KEY_IDENTIFIER = 0x80,
    KEY_ISSUER = 0xa1,
    KEY_SERIAL = 0x82,
    POINT_NAME = 0xa0,
    POINT_FULL_NAME = 0xa0,
    POINT_ISSUER = 0xa2,
    NAME_EMAIL = 0x81,
    NAME_DNS = 0x82,
    NAME_DIRECTORY = 0xa4,
    NAME_URI = 0x86,
    NAME_ADDRESS = 0x87
};

static bool is_over(const struct tg_der *der)
{
    return der->at == der->end;
}

/* The others (otherName, ediPartyName) have contents of their own. */
static bool take_general_name(struct tg_der *from)
{
    struct tg_der content, name;
    uint8_t tag;

    if (!tg_der_next(from, &tag, &content))
        return false;
    if (tag == NAME_DIRECTORY)
        return tg_der_name(&content, &name) && is_over(&content);
    return tag == NAME_EMAIL || tag == NAME_DNS || tag == NAME_URI || tag == NAME_ADDRESS;
}

static bool are_general_names(struct tg_der list)
{
    if (is_over(&list))
        return false;
    while (!is_over(&list))
        if (!take_general_name(&list))
            return false;
    return true;
}

/* GeneralNames under TAG, which may be missing. */
static bool take_names(struct tg_der *from, uint8_t tag)
{
    struct tg_der names;

    return !tg_der_has(from, tag) || (tg_der_take(from, tag, &names) && are_general_names(names));
}

static bool is_key_identifier(struct tg_der value)
{
    struct tg_der bytes;

    return tg_der_take(&value, OCTET_STRING, &bytes) && !is_over(&bytes) && is_over(&value);
}

static bool is_key_usage(struct tg_der value)
{
    struct tg_der bits;

    if (!tg_der_bits(&value, &bits) || !is_over(&value) || bits.end - bits.at < 2)
        return false;
    /* Not one bit that is set is a mistake (section 4.2.1.3); those not used are cut off the last.
     */
    return bits.end - bits.at > 2 ? bits.at[1] != 0 : bits.at[1] >> bits.at[0] != 0;
}

static bool are_bits(struct tg_der value)
{
    struct tg_der bits;

    return tg_der_bits(&value, &bits) && is_over(&value);
}

static bool are_alternative_names(struct tg_der value)
{
    struct tg_der names;

    return tg_der_take(&value, SEQUENCE, &names) && are_general_names(names) && is_over(&value);
}

static bool are_basic_constraints(struct tg_der value)
{
    struct tg_der constraints, number;

    if (!tg_der_take(&value, SEQUENCE, &constraints) || !is_over(&value))
        return false;
    if (tg_der_has(&constraints, BOOLEAN) &&
        (!tg_der_take(&constraints, BOOLEAN, &number) || number.end - number.at != 1))
        return false;
    return is_over(&constraints) ||
           (tg_der_integer(&constraints, &number) && !(*number.at & 0x80) && is_over(&constraints));
}

/* A distribution point with a name of its own; `reasons`, and a relative name, are out of use. */
static bool take_point(struct tg_der *from)
{
    struct tg_der point, name, names;

    if (!tg_der_take(from, SEQUENCE, &point))
        return false;
    if (tg_der_has(&point, POINT_NAME) &&
        (!tg_der_take(&point, POINT_NAME, &name) || !tg_der_take(&name, POINT_FULL_NAME, &names) ||
         !are_general_names(names) || !is_over(&name)))
        return false;
    return take_names(&point, POINT_ISSUER) && is_over(&point);
}

static bool are_points(struct tg_der value)
{
    struct tg_der points;

    if (!tg_der_take(&value, SEQUENCE, &points) || !is_over(&value) || is_over(&points))
        return false;
    while (!is_over(&points))
        if (!take_point(&points))
            return false;
    return true;
}

static bool is_authority_key(struct tg_der value)
{
    struct tg_der key, bytes;

    if (!tg_der_take(&value, SEQUENCE, &key) || !is_over(&value))
        return false;
    if (tg_der_has(&key, KEY_IDENTIFIER) && !tg_der_take(&key, KEY_IDENTIFIER, &bytes))
        return false;
    if (!take_names(&key, KEY_ISSUER))
        return false;
    if (tg_der_has(&key, KEY_SERIAL) &&
        (!tg_der_take(&key, KEY_SERIAL, &bytes) || !tg_der_is_integer(&bytes)))
        return false;
    return is_over(&key);
}

static bool are_purposes(struct tg_der value)
{
    struct tg_der list, purpose;

    if (!tg_der_take(&value, SEQUENCE, &list) || !is_over(&value) || is_over(&list))
        return false;
    while (!is_over(&list))
        if (!tg_der_oid(&list, &purpose))
            return false;
    return true;
}

/* For what is rare in a CA: libcrypto is to look at it. */
static bool is_never_plain(struct tg_der value)
{
    (void)value;
    return false;
}

static const struct kind {
    const char *identifier;
    size_t size;
    bool (*is_plain)(struct tg_der value);
} kinds[] = {
#define KIND(identifier, is_plain)                                                                 \
    {                                                                                              \
        identifier, sizeof(identifier) - 1, is_plain                                               \
    }
    KIND("\x55\x1d\x0e", is_key_identifier),
    KIND("\x55\x1d\x0f", is_key_usage),
    KIND("\x55\x1d\x11", are_alternative_names),
    KIND("\x55\x1d\x13", are_basic_constraints),
    KIND("\x55\x1d\x1e", is_never_plain), /* nameConstraints */
    KIND("\x55\x1d\x1f", are_points),
    KIND("\x55\x1d\x23", is_authority_key),
    KIND("\x55\x1d\x25", are_purposes),
    KIND("\x60\x86\x48\x01\x86\xf8\x42\x01\x01", are_bits),   /* Netscape's certificate type */
    KIND("\x2b\x06\x01\x05\x05\x07\x01\x07", is_never_plain), /* RFC 3779: addresses */
    KIND("\x2b\x06\x01\x05\x05\x07\x01\x08", is_never_plain), /* and autonomous systems */
    KIND("\x2b\x06\x01\x05\x05\x07\x01\x0e", is_never_plain), /* RFC 3820 */
#undef KIND
};

bool tg_extension_is_plain(const struct tg_der *identifier, struct tg_der value)
{
    size_t size = (size_t)(identifier->end - identifier->at);

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].size == size && memcmp(kinds[i].identifier, identifier->at, size) == 0)
            return kinds[i].is_plain(value);
    return true;
}
