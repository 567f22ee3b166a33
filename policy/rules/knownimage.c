#include "knownimage.h"
#include "image.h"
#include "memo.h"
#include <stdlib.h>
#include <string.h>

struct tg_knownimage {
    struct tg_arena *arena;
    struct tg_image *image;
    struct tg_memo memo; /* of lines that were read */
};

/* The lines of a host and port. */
struct unit {
    struct tg_memo_item item;
    struct tg_known_entry *first;
};

static struct tg_known_entry damaged;

bool tg_knownimage_damaged(const struct tg_known_entry *entry)
{
    return entry == &damaged;
}

static void release(struct tg_memo_item *item)
{
    struct unit *unit = (struct unit *)item;

    for (struct tg_known_entry *entry = unit->first, *next; entry != NULL; entry = next) {
        next = (struct tg_known_entry *)entry->next;
        free(entry);
    }
    free((char *)unit->item.text);
    free(unit);
}

/* What is being gathered: an entry a line, in order. */
struct gathering {
    struct tg_image *image;
    struct tg_known_entry *first;
    const struct tg_known_entry **end;
};

static bool gather(void *arg, uint64_t offset)
{
    struct gathering *gathering = arg;
    struct tg_image_reader reader;
    struct tg_image_record record;
    struct tg_known_entry *entry;

    tg_image_begin(&reader, gathering->image);
    if (!tg_image_read(&reader, offset, &record, sizeof(record)) || record.kind != TG_IMAGE_LINE ||
        record.value == 0 || record.value > TG_KNOWN_PINS_MAX ||
        record.length != record.value * TG_SHA256_SIZE)
        return false;
    entry = calloc(1, sizeof(*entry) + record.length);
    if (entry == NULL)
        return false;
    *gathering->end = entry;
    gathering->end = &entry->next;
    entry->line = (unsigned)record.tag;
    entry->count = (unsigned)record.value;
    return tg_image_read(&reader, offset + sizeof(record), entry->pins, record.length);
}

/* NULL: there is no such line, or *WRONG. */
static struct unit *read_unit(struct tg_knownimage *known, const char *host, unsigned port,
                              bool *wrong)
{
    struct gathering gathering = {.image = known->image};
    struct unit *unit = calloc(1, sizeof(*unit));
    char *text = strdup(host);
    struct tg_image_reader reader;

    if (unit == NULL || text == NULL) {
        free(unit);
        free(text);
        *wrong = true;
        return NULL;
    }
    unit->item = (struct tg_memo_item){.tag = port, .text = text, .length = strlen(host)};
    gathering.end = (const struct tg_known_entry **)&gathering.first;
    tg_image_begin(&reader, known->image);
    *wrong = !tg_image_find(&reader, TG_IMAGE_KNOWN, port, host, strlen(host), gather, &gathering);
    unit->first = gathering.first;
    if (!*wrong && unit->first != NULL)
        return unit;
    release(&unit->item);
    return NULL;
}

const struct tg_known_entry *tg_knownimage_find(struct tg_knownimage *known, const char *host,
                                                unsigned port)
{
    struct unit *unit = (struct unit *)tg_memo_get(&known->memo, port, host, strlen(host)), *kept;
    bool wrong = false;

    if (unit == NULL)
        unit = read_unit(known, host, port, &wrong);
    else
        return unit->first;
    if (unit == NULL)
        return wrong ? &damaged : NULL;
    kept = (struct unit *)tg_memo_put(&known->memo, &unit->item);
    if (kept != unit)
        release(&unit->item);
    return kept->first;
}

struct tg_knownimage *tg_knownimage_open(const char *path, struct tg_buf *note)
{
    struct tg_knownimage *known = calloc(1, sizeof(*known));
    const char *why = tg_no_memory;

    if (known != NULL)
        known->arena = tg_arena_new();
    if (known != NULL && known->arena != NULL)
        known->image = tg_image_open(known->arena, path, TG_IMAGE_KNOWN_HOSTS, &why);
    if (known != NULL && known->image != NULL)
        return known;
    if (why != NULL) {
        tg_buf_escape(note, path, strlen(path));
        tg_buf_printf(note, TG_IMAGE_SUFFIX " isn't used: it %s", why);
    }
    tg_knownimage_free(known);
    return NULL;
}

void tg_knownimage_free(struct tg_knownimage *known)
{
    if (known == NULL)
        return;
    tg_memo_clear(&known->memo, release);
    tg_image_close(known->image);
    tg_arena_free(known->arena);
    free(known);
}
