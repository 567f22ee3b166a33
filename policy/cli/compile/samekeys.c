#include "samekeys.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Whether the keys at two offsets are the same; what FIRST holds is read. */
static bool is_same(struct tg_imagefile *out, const struct tg_image_record *first, const char *text,
                    uint64_t offset, uint64_t *value)
{
    struct tg_image_record key;
    char *other = NULL;
    bool same = tg_imagefile_read(out, offset, &key, sizeof(key)) && key.kind == first->kind &&
                key.tag == first->tag && key.length == first->length;

    if (same) {
        other = malloc(key.length + 1);
        same = other != NULL && tg_imagefile_read(out, offset + sizeof(key), other, key.length) &&
               memcmp(text, other, key.length) == 0;
    }
    *value = key.value;
    free(other);
    return same;
}

/* Of COUNT slots with equal hashes those that have the key of the first; hashes hardly ever clash.
 */
static void tell_same(struct tg_imagefile *out, const struct tg_image_slot *slots, size_t count,
                      tg_samekeys_seen *seen, void *arg)
{
    struct tg_image_record first;
    uint64_t *values = calloc(count, sizeof(*values));
    char *text = NULL;
    size_t found = 1;

    if (values != NULL && tg_imagefile_read(out, slots[0].offset, &first, sizeof(first)))
        text = malloc(first.length + 1);
    if (text == NULL ||
        !tg_imagefile_read(out, slots[0].offset + sizeof(first), text, first.length)) {
        out->error = text == NULL ? ENOMEM : EIO;
        found = 0;
    } else {
        values[0] = first.value;
    }
    for (size_t i = 1; found > 0 && i < count; i++)
        found += is_same(out, &first, text, slots[i].offset, &values[found]);
    if (found > 1)
        seen(arg, &first, values, found);
    free(text);
    free(values);
}

void tg_samekeys_each(struct tg_imagefile *out, tg_samekeys_seen *seen, void *arg)
{
    size_t next;

    for (size_t i = 0; i < out->slot_count && out->error == 0; i = next) {
        next = i + 1;
        while (next < out->slot_count && out->slots[next].hash == out->slots[i].hash)
            next++;
        if (next - i > 1)
            tell_same(out, &out->slots[i], next - i, seen, arg);
    }
}
