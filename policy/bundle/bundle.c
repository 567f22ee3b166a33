#include "bundle.h"
#include "armour.h"
#include "certificate.h"
#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t subject;
    uint32_t offset, size, certificate;
    bool trusted;
};

struct tg_bundle {
    uint8_t *der;
    struct entry *entries;
    size_t count, room;
};

static bool grow(struct tg_bundle *bundle)
{
    size_t room = bundle->room > 0 ? bundle->room * 2 : 64;
    struct entry *entries = realloc(bundle->entries, room * sizeof(*entries));

    if (entries == NULL)
        return false;
    bundle->entries = entries;
    bundle->room = room;
    return true;
}

bool tg_bundled_read(const uint8_t *der, size_t size, bool trusted, struct tg_bundled *bundled)
{
    struct tg_der rest = {der, der + size}, subject;
    uint64_t fold;

    if (!tg_certificate_take(&rest, &subject) ||
        (rest.at != rest.end && !(trusted && tg_certificate_is_settings(rest))) ||
        !tg_fold_name(subject, &fold))
        return false;
    *bundled = (struct tg_bundled){fold, der, size, (size_t)(rest.at - der), trusted};
    return true;
}

static bool take(void *arg, const uint8_t *data, size_t size, bool trusted)
{
    struct tg_bundle *bundle = arg;
    struct tg_bundled one;

    if (!tg_bundled_read(data, size, trusted, &one))
        return false;
    if (bundle->count == bundle->room && !grow(bundle))
        return false;
    bundle->entries[bundle->count++] =
        (struct entry){one.subject, (uint32_t)(data - bundle->der), (uint32_t)size,
                       (uint32_t)one.certificate, trusted};
    return true;
}

static size_t size_of(const struct tg_bundle *bundle)
{
    const struct entry *last = &bundle->entries[bundle->count - 1];

    return (size_t)last->offset + last->size;
}

/* The text took a third more than what it held. */
static void trim(struct tg_bundle *bundle)
{
    uint8_t *der = realloc(bundle->der, size_of(bundle));

    if (der != NULL)
        bundle->der = der;
}

struct tg_bundle *tg_bundle_take(char *text, size_t size)
{
    struct tg_bundle *bundle = size < UINT32_MAX ? calloc(1, sizeof(*bundle)) : NULL;

    if (bundle == NULL) {
        free(text);
        return NULL;
    }
    bundle->der = (uint8_t *)text;
    if (!tg_armour_read(text, size, take, bundle) || bundle->count == 0) {
        tg_bundle_free(bundle);
        return NULL;
    }
    trim(bundle);
    return bundle;
}

struct tg_bundle *tg_bundle_read(const char *text, size_t size)
{
    char *copy = malloc(size + 1);

    if (copy == NULL)
        return NULL;
    memcpy(copy, text, size);
    return tg_bundle_take(copy, size);
}

void tg_bundle_free(struct tg_bundle *bundle)
{
    if (bundle == NULL)
        return;
    free(bundle->der);
    free(bundle->entries);
    free(bundle);
}

size_t tg_bundle_count(const struct tg_bundle *bundle)
{
    return bundle->count;
}

struct tg_bundled tg_bundle_get(const struct tg_bundle *bundle, size_t index)
{
    const struct entry *entry = &bundle->entries[index];

    return (struct tg_bundled){entry->subject, bundle->der + entry->offset, entry->size,
                               entry->certificate, entry->trusted};
}

bool tg_bundle_is_same(const struct tg_bundle *one, const struct tg_bundle *other)
{
    bool same = one->count == other->count && size_of(one) == size_of(other);

    for (size_t i = 0; same && i < one->count; i++)
        same = one->entries[i].offset == other->entries[i].offset &&
               one->entries[i].trusted == other->entries[i].trusted;
    return same && memcmp(one->der, other->der, size_of(one)) == 0;
}
