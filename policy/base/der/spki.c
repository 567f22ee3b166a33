#include "spki.h"

/* DER tags (X.690), as far as certificates have them at the places that are looked at. */
enum {
    BOOLEAN = 0x01,
    INTEGER = 0x02,
    BIT_STRING = 0x03,
    OCTET_STRING = 0x04,
    NOTHING = 0x05, /* NULL */
    OID = 0x06,
    UTC_TIME = 0x17,
    GENERALIZED_TIME = 0x18,
    SEQUENCE = 0x30,
    SET = 0x31,
    ISSUER_ID = 0x81,
    SUBJECT_ID = 0x82,
    VERSION = 0xA0,
    EXTENSIONS = 0xA3,
};

/* What is left of the content of an element. */
struct rest {
    const unsigned char *at, *end;
};

static bool over(const struct rest *in)
{
    return in->at == in->end;
}

static bool next_is(const struct rest *in, unsigned char tag)
{
    return !over(in) && *in->at == tag;
}

/* The length at IN, in as few bytes as it takes. */
static bool read_length(struct rest *in, size_t *length)
{
    unsigned bytes;

    if (over(in))
        return false;
    *length = *in->at++;
    if (*length < 0x80)
        return true;
    bytes = (unsigned)*length & 0x7F;
    if (bytes == 0 || bytes > 3 || (size_t)(in->end - in->at) < bytes || *in->at == 0)
        return false;
    for (*length = 0; bytes > 0; bytes--)
        *length = *length << 8 | *in->at++;
    return *length >= 0x80;
}

/* Takes the next element of IN, which has to have this TAG; CONTENT may be NULL. */
static bool take(struct rest *in, unsigned char tag, struct rest *content)
{
    struct rest left = *in;
    size_t length;

    if (!next_is(in, tag))
        return false;
    left.at++;
    if (!read_length(&left, &length) || length > (size_t)(left.end - left.at))
        return false;
    if (content != NULL)
        *content = (struct rest){left.at, left.at + length};
    in->at = left.at + length;
    return true;
}

/* One of any short tag. */
static bool take_any(struct rest *in)
{
    return !over(in) && (*in->at & 0x1F) != 0x1F && *in->at != 0 && take(in, *in->at, NULL);
}

/* Parameters of other kinds are encoded anew by libcrypto. */
static bool take_algorithm(struct rest *in)
{
    struct rest algorithm, none = {0};

    if (!take(in, SEQUENCE, &algorithm) || !take(&algorithm, OID, NULL))
        return false;
    if (next_is(&algorithm, NOTHING))
        return take(&algorithm, NOTHING, &none) && over(&none) && over(&algorithm);
    if (next_is(&algorithm, OID))
        return take(&algorithm, OID, NULL) && over(&algorithm);
    return over(&algorithm) || (take(&algorithm, SEQUENCE, NULL) && over(&algorithm));
}

/* A bit string of whole bytes. */
static bool take_bits(struct rest *in)
{
    struct rest bits;

    return take(in, BIT_STRING, &bits) && !over(&bits) && *bits.at == 0;
}

static bool take_name(struct rest *in)
{
    struct rest name, set, pair;

    if (!take(in, SEQUENCE, &name))
        return false;
    while (!over(&name)) {
        if (!take(&name, SET, &set) || over(&set))
            return false;
        while (!over(&set))
            if (!take(&set, SEQUENCE, &pair) || !take(&pair, OID, NULL) || !take_any(&pair) ||
                !over(&pair))
                return false;
    }
    return true;
}

static bool take_time(struct rest *in)
{
    return take(in, next_is(in, UTC_TIME) ? UTC_TIME : GENERALIZED_TIME, NULL);
}

static bool take_validity(struct rest *in)
{
    struct rest validity;

    return take(in, SEQUENCE, &validity) && take_time(&validity) && take_time(&validity) &&
           over(&validity);
}

static bool take_key(struct rest *in)
{
    struct rest key;

    return take(in, SEQUENCE, &key) && take_algorithm(&key) && take_bits(&key) && over(&key);
}

static bool take_version(struct rest *in)
{
    struct rest version;

    return take(in, VERSION, &version) && take(&version, INTEGER, NULL) && over(&version);
}

static bool take_extensions(struct rest *in)
{
    struct rest outer, list, extension;

    if (!take(in, EXTENSIONS, &outer) || !take(&outer, SEQUENCE, &list) || !over(&outer))
        return false;
    while (!over(&list)) {
        if (!take(&list, SEQUENCE, &extension) || !take(&extension, OID, NULL))
            return false;
        if (next_is(&extension, BOOLEAN) && !take(&extension, BOOLEAN, NULL))
            return false;
        if (!take(&extension, OCTET_STRING, NULL) || !over(&extension))
            return false;
    }
    return true;
}

/* What may stand behind the key. */
static bool take_options(struct rest *in)
{
    if (next_is(in, ISSUER_ID) && !take(in, ISSUER_ID, NULL))
        return false;
    if (next_is(in, SUBJECT_ID) && !take(in, SUBJECT_ID, NULL))
        return false;
    return over(in) || (take_extensions(in) && over(in));
}

bool tg_spki_find(const unsigned char *der, size_t length, const unsigned char **spki, size_t *size)
{
    struct rest all = {der, der + length}, certificate, tbs;
    const unsigned char *start;

    if (!take(&all, SEQUENCE, &certificate) || !over(&all) || !take(&certificate, SEQUENCE, &tbs) ||
        !take_algorithm(&certificate) || !take_bits(&certificate) || !over(&certificate))
        return false;
    if (next_is(&tbs, VERSION) && !take_version(&tbs))
        return false;
    if (!take(&tbs, INTEGER, NULL) || !take_algorithm(&tbs) || !take_name(&tbs) ||
        !take_validity(&tbs) || !take_name(&tbs))
        return false;
    start = tbs.at;
    if (!take_key(&tbs))
        return false;
    *size = (size_t)(tbs.at - start);
    *spki = start;
    return take_options(&tbs);
}
