#include "certificate.h"
#include "extension.h"
#include <string.h>

#define EXTENSIONS_MAX 32

enum {
    BOOLEAN = 0x01,
    INTEGER = 0x02,
    OCTET_STRING = 0x04,
    NULL_VALUE = 0x05,
    OID = 0x06,
    UTF8_STRING = 0x0c,
    UTC_TIME = 0x17,
    GENERALIZED_TIME = 0x18,
    SEQUENCE = 0x30,
    VERSION = 0xa0,
    EXTENSIONS = 0xa3,
    REJECTED = 0xa0 /* of the trust settings */
};

static size_t size(const struct tg_der *der)
{
    return (size_t)(der->end - der->at);
}

static bool is_over(const struct tg_der *der)
{
    return der->at == der->end;
}

/* What stands in a parameter's SEQUENCE is decoded when it is first looked at, and never here. */
static bool take_parameter(struct tg_der *from)
{
    struct tg_der parameter;

    if (tg_der_has(from, OID))
        return tg_der_oid(from, &parameter);
    if (tg_der_has(from, NULL_VALUE))
        return tg_der_take(from, NULL_VALUE, &parameter) && is_over(&parameter);
    return tg_der_take(from, SEQUENCE, &parameter);
}

static bool take_algorithm(struct tg_der *from)
{
    struct tg_der algorithm, oid;

    return tg_der_take(from, SEQUENCE, &algorithm) && tg_der_oid(&algorithm, &oid) &&
           (is_over(&algorithm) || take_parameter(&algorithm)) && is_over(&algorithm);
}

static bool take_time(struct tg_der *from)
{
    bool utc = tg_der_has(from, UTC_TIME);
    size_t digits = utc ? 12 : 14;
    struct tg_der time;

    if (!tg_der_take(from, utc ? UTC_TIME : GENERALIZED_TIME, &time) || size(&time) != digits + 1)
        return false;
    for (size_t i = 0; i < digits; i++)
        if (time.at[i] < '0' || time.at[i] > '9')
            return false;
    return time.at[digits] == 'Z';
}

static bool take_validity(struct tg_der *from)
{
    struct tg_der validity;

    return tg_der_take(from, SEQUENCE, &validity) && take_time(&validity) && take_time(&validity) &&
           is_over(&validity);
}

static bool take_version(struct tg_der *from)
{
    struct tg_der version, number;

    if (!tg_der_has(from, VERSION))
        return true;
    return tg_der_take(from, VERSION, &version) && tg_der_take(&version, INTEGER, &number) &&
           is_over(&version) && size(&number) == 1 && *number.at <= 2;
}

static bool take_key(struct tg_der *from)
{
    struct tg_der key, bits;

    return tg_der_take(from, SEQUENCE, &key) && take_algorithm(&key) && tg_der_bits(&key, &bits) &&
           is_over(&key);
}

static bool take_extension(struct tg_der *from, struct tg_der *identifier)
{
    struct tg_der extension, critical, value;

    if (!tg_der_take(from, SEQUENCE, &extension) || !tg_der_oid(&extension, identifier))
        return false;
    if (tg_der_has(&extension, BOOLEAN) &&
        (!tg_der_take(&extension, BOOLEAN, &critical) || size(&critical) != 1))
        return false;
    return tg_der_take(&extension, OCTET_STRING, &value) && is_over(&extension) &&
           tg_extension_is_plain(identifier, value);
}

/* Extensions of a certificate are few, and no two of one kind. */
static bool take_list(struct tg_der *list)
{
    struct tg_der seen[EXTENSIONS_MAX];
    size_t count = 0;

    while (!is_over(list)) {
        if (count == EXTENSIONS_MAX || !take_extension(list, &seen[count]))
            return false;
        for (size_t i = 0; i < count; i++)
            if (size(&seen[i]) == size(&seen[count]) &&
                memcmp(seen[i].at, seen[count].at, size(&seen[i])) == 0)
                return false;
        count++;
    }
    return count > 0;
}

static bool take_extensions(struct tg_der *from)
{
    struct tg_der tagged, list;

    if (is_over(from))
        return true;
    return tg_der_take(from, EXTENSIONS, &tagged) && tg_der_take(&tagged, SEQUENCE, &list) &&
           is_over(&tagged) && take_list(&list) && is_over(from);
}

/* A root's SUBJECT is its ISSUER once more, which was right. */
static bool take_subject(struct tg_der *from, const struct tg_der *issuer, struct tg_der *subject)
{
    struct tg_der rest = *from;

    if (!tg_der_take(&rest, SEQUENCE, subject) || size(subject) != size(issuer) ||
        memcmp(subject->at, issuer->at, size(issuer)) != 0)
        return tg_der_name(from, subject);
    *from = rest;
    return true;
}

/* What is signed; unique identifiers of issuer and subject count as none that anyone has. */
static bool take_body(struct tg_der *from, struct tg_der *subject)
{
    struct tg_der body, number, issuer;

    return tg_der_take(from, SEQUENCE, &body) && take_version(&body) &&
           tg_der_integer(&body, &number) && take_algorithm(&body) && tg_der_name(&body, &issuer) &&
           take_validity(&body) && take_subject(&body, &issuer, subject) && take_key(&body) &&
           take_extensions(&body);
}

bool tg_certificate_take(struct tg_der *from, struct tg_der *subject)
{
    const uint8_t *begin = from->at;
    struct tg_der whole, bits;

    return tg_der_take(from, SEQUENCE, &whole) && from->at - begin <= TG_CERTIFICATE_MAX &&
           take_body(&whole, subject) && take_algorithm(&whole) && tg_der_bits(&whole, &bits) &&
           is_over(&whole);
}

/* A list of purposes under TAG, which may be missing. */
static bool take_purposes(struct tg_der *from, uint8_t tag)
{
    struct tg_der list, purpose;

    if (!tg_der_has(from, tag))
        return true;
    if (!tg_der_take(from, tag, &list))
        return false;
    while (!is_over(&list))
        if (!tg_der_oid(&list, &purpose))
            return false;
    return true;
}

/* Bytes under TAG, which may be missing. */
static bool take_bytes(struct tg_der *from, uint8_t tag)
{
    struct tg_der bytes;

    return !tg_der_has(from, tag) || tg_der_take(from, tag, &bytes);
}

bool tg_certificate_is_settings(struct tg_der from)
{
    struct tg_der settings;

    return tg_der_take(&from, SEQUENCE, &settings) && is_over(&from) &&
           take_purposes(&settings, SEQUENCE) && take_purposes(&settings, REJECTED) &&
           take_bytes(&settings, UTF8_STRING) && take_bytes(&settings, OCTET_STRING) &&
           is_over(&settings);
}
