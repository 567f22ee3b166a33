#include "image.h"
#include "file.h"
#include "parents.h"
#include "table.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what writer and reader share ---------------------------------------------------------- */

uint64_t tg_image_home(uint64_t hash, uint64_t homes)
{
    return (hash >> 32) * homes >> 32;
}

uint64_t tg_image_hash(uint32_t kind, uint64_t tag, const char *text, size_t length)
{
    return tg_table_hash(tag ^ (uint64_t)kind << 56, text, length);
}

/* Each step is one to one in what came before and in its word: no change of one word is missed. */
uint64_t tg_image_checksum(uint64_t id, uint64_t number, const unsigned char *block)
{
    uint64_t sum = (id ^ number) * 0x9E3779B97F4A7C15u + 1, word;

    for (size_t i = 0; i < TG_IMAGE_BLOCK; i += sizeof(word)) {
        memcpy(&word, block + i, sizeof(word));
        sum = (sum ^ word) * 0xFF51AFD7ED558CCDu;
        sum ^= sum >> 32;
    }
    return sum;
}

/*
 * The kernel's clock ticks up to every 10 ms; file systems that keep no nanoseconds count two
 * seconds at a time. As git does: what isn't older than that isn't known to be what was read.
 */
bool tg_image_is_racy(struct timespec newest, struct timespec begun)
{
    long long grain = newest.tv_nsec == 0 ? 2000000000LL : 20000000LL;
    time_t seconds;

    if (__builtin_sub_overflow(begun.tv_sec, newest.tv_sec, &seconds) || seconds < -4)
        return true;
    return seconds < 4 && seconds * 1000000000LL + begun.tv_nsec - newest.tv_nsec <= grain;
}

uint64_t tg_image_behind(uint64_t offset, uint32_t length)
{
    return offset + sizeof(struct tg_image_record) + ((uint64_t)length + 7) / 8 * 8;
}

/* ---- reading ------------------------------------------------------------------------------- */

void tg_image_begin(struct tg_image_reader *reader, struct tg_image *image)
{
    reader->image = image;
    reader->number = 0;
}

/* Has the block with this number at hand, as it was written. */
static bool fetch(struct tg_image_reader *reader, uint64_t number)
{
    struct tg_image *image = reader->image;
    const struct tg_image_header *header = &image->header;
    uint64_t sum;

    if (number != 0 && number == reader->number)
        return true;
    reader->number = 0;
    if (number == 0 || number >= header->blocks ||
        !tg_mapping_copy(&image->mapping, number * TG_IMAGE_BLOCK, reader->block, TG_IMAGE_BLOCK) ||
        !tg_mapping_copy(&image->mapping, header->blocks * TG_IMAGE_BLOCK + number * sizeof(sum),
                         &sum, sizeof(sum)) ||
        sum != tg_image_checksum(header->id, number, reader->block))
        return false;
    reader->number = number;
    return true;
}

bool tg_image_read(struct tg_image_reader *reader, uint64_t offset, void *out, size_t length)
{
    unsigned char *to = out;

    if (length > reader->image->header.size)
        return false;
    while (length > 0) {
        size_t at = offset % TG_IMAGE_BLOCK, piece = TG_IMAGE_BLOCK - at;

        piece = piece < length ? piece : length;
        if (!fetch(reader, offset / TG_IMAGE_BLOCK))
            return false;
        memcpy(to, reader->block + at, piece);
        offset += piece;
        to += piece;
        length -= piece;
    }
    return true;
}

char *tg_image_take(struct tg_image_reader *reader, uint64_t offset, size_t length)
{
    char *bytes = length <= reader->image->header.size ? malloc(length + 1) : NULL;

    if (bytes == NULL)
        return NULL;
    bytes[length] = '\0';
    if (tg_image_read(reader, offset, bytes, length))
        return bytes;
    free(bytes);
    return NULL;
}

/* Whether the LENGTH bytes at OFFSET are TEXT, in *SAME. */
static bool compare(struct tg_image_reader *reader, uint64_t offset, const char *text,
                    size_t length, bool *same)
{
    char piece[256];

    *same = true;
    while (length > 0 && *same) {
        size_t size = length < sizeof(piece) ? length : sizeof(piece);

        if (!tg_image_read(reader, offset, piece, size))
            return false;
        *same = memcmp(piece, text, size) == 0;
        offset += size;
        text += size;
        length -= size;
    }
    return true;
}

bool tg_image_find(struct tg_image_reader *reader, uint32_t kind, uint64_t tag, const char *text,
                   size_t length, tg_image_met *met, void *arg)
{
    const struct tg_image_header *header = &reader->image->header;
    uint64_t hash = tg_image_hash(kind, tag, text, length);
    struct tg_image_record key;
    struct tg_image_slot slot;
    bool same;

    for (uint64_t at = tg_image_home(hash, header->homes);; at++) {
        if (at >= header->slots ||
            !tg_image_read(reader, header->table + at * sizeof(slot), &slot, sizeof(slot)))
            return false;
        if (slot.offset == 0 || slot.hash > hash)
            return true;
        if (slot.hash != hash)
            continue;
        if (!tg_image_read(reader, slot.offset, &key, sizeof(key)))
            return false;
        if (key.kind != kind || key.tag != tag || key.length != length)
            continue;
        if (!compare(reader, slot.offset + sizeof(key), text, length, &same) ||
            (same && !met(arg, key.value)))
            return false;
    }
}

const void *tg_image_next(struct tg_image_bytes *bytes, size_t size)
{
    const char *at = bytes->at;

    if (bytes->wrong || size > (size_t)(bytes->end - at)) {
        bytes->wrong = true;
        return NULL;
    }
    bytes->at += size;
    return at;
}

uint64_t tg_image_number(struct tg_image_bytes *bytes)
{
    const void *at = tg_image_next(bytes, sizeof(uint64_t));
    uint64_t number = 0;

    if (at != NULL)
        memcpy(&number, at, sizeof(number));
    return number;
}

const char *tg_image_text(struct tg_image_bytes *bytes)
{
    uint64_t size = tg_image_number(bytes);
    const char *text = size > 0 && size <= SIZE_MAX ? tg_image_next(bytes, size) : NULL;

    if (text != NULL && memchr(text, '\0', size) == text + size - 1)
        return text;
    bytes->wrong = true;
    return NULL;
}

/* ---- opening ------------------------------------------------------------------------------- */

/* An image on its way, and what is said of it. */
struct opening {
    struct tg_arena *arena;
    struct tg_image *image;
    const char *path; /* of what it stands for */
    int fd;
    struct stat status;
    const char *why;
};

static bool blame(struct opening *in, const char *why)
{
    in->why = why;
    return false;
}

/* Nobody else may have written it: as for a policy, and it is no link. */
static bool open_file(struct opening *in)
{
    struct stat entry;
    const char *wrong;

    if (lstat(in->image->path, &entry) != 0)
        return errno == ENOENT ? false
                               : blame(in, tg_arena_sentence(in->arena, "can't be looked at: %m"));
    if (S_ISLNK(entry.st_mode))
        return blame(in, "is a symbolic link");
    wrong = tg_parents_check(in->arena, in->image->path, NULL);
    if (wrong != NULL)
        return blame(in, tg_arena_sentence(in->arena, "can't be opened: %s", wrong));
    wrong = tg_file_open(in->arena, AT_FDCWD, in->image->path, S_IFREG, &in->fd, &in->status);
    if (wrong != NULL)
        return blame(in, wrong);
    if (entry.st_ino != in->status.st_ino || entry.st_dev != in->status.st_dev)
        return blame(in, "was replaced while it was opened");
    return true;
}

static const char *foreign(struct opening *in, const char *how)
{
    return tg_arena_sentence(in->arena, "is foreign: %s", how);
}

/* Whether this trustgraft on this machine can read it. */
static bool is_ours(struct opening *in, enum tg_image_content content)
{
    const struct tg_image_header *header = &in->image->header;

    if (memcmp(header->magic, TG_IMAGE_MAGIC, sizeof(TG_IMAGE_MAGIC)) != 0)
        return blame(in, foreign(in, "it isn't what `trustgraft compile` writes"));
    if (header->order != TG_IMAGE_ORDER)
        return blame(in, foreign(in, "its byte order is another"));
    if (header->pointer != sizeof(void *))
        return blame(in, foreign(in, "its width of pointers is another"));
    if (header->format != TG_IMAGE_FORMAT ||
        strncmp(header->version, TG_VERSION, sizeof(header->version)) != 0)
        return blame(in, foreign(in, "another version of trustgraft wrote it"));
    return header->content == content || blame(in, foreign(in, "it is that of another file"));
}

static bool read_header(struct opening *in, enum tg_image_content content)
{
    struct tg_image_header *header = &in->image->header;
    unsigned char block[TG_IMAGE_BLOCK];
    uint64_t size = (uint64_t)in->status.st_size, sum = 0;

    if (pread(in->fd, block, sizeof(block), 0) != (ssize_t)sizeof(block))
        return blame(in, "is truncated: it has no header");
    memcpy(header, block, sizeof(*header));
    if (!is_ours(in, content))
        return false;
    if (size < header->size)
        return blame(in, "is truncated");
    if (size != header->size || header->blocks == 0 ||
        header->blocks > size / (TG_IMAGE_BLOCK + sizeof(sum)) ||
        header->blocks * (TG_IMAGE_BLOCK + sizeof(sum)) != size || header->homes >> 32 != 0 ||
        header->begun_ns < 0 || header->begun_ns >= 1000000000 ||
        pread(in->fd, &sum, sizeof(sum), (off_t)(header->blocks * TG_IMAGE_BLOCK)) !=
            (ssize_t)sizeof(sum) ||
        sum != tg_image_checksum(header->id, 0, block))
        return blame(in, "is corrupted: its header");
    return tg_mapping_open(&in->image->mapping, in->fd, size) ||
           blame(in, tg_arena_sentence(in->arena, "can't be mapped: %m"));
}

/* Calls READ with what stands at OFFSET. */
static bool parse(struct opening *in, uint64_t offset, uint64_t size,
                  bool (*read)(struct opening *in, struct tg_image_bytes *bytes))
{
    struct tg_image_reader reader;
    char *text;
    bool done;

    tg_image_begin(&reader, in->image);
    text = size <= in->image->header.size ? tg_image_take(&reader, offset, size) : NULL;
    if (text == NULL)
        return blame(in, "is corrupted: the list of what it was made of");
    done = read(in, &(struct tg_image_bytes){text, text + size, false});
    free(text);
    return done;
}

static bool read_path(struct opening *in, struct tg_image_bytes *bytes)
{
    const char *path = tg_image_text(bytes);

    if (path == NULL)
        return blame(in, "is corrupted: its path");
    return strcmp(path, in->path) == 0 ||
           blame(in, tg_arena_sentence(in->arena, "is foreign: it was made of %s", path));
}

static bool read_marks(struct opening *in, struct tg_image_bytes *bytes)
{
    const struct tg_watching watching = {in->arena, &in->image->watch};

    while (bytes->at < bytes->end) {
        const void *at = tg_image_next(bytes, sizeof(struct tg_watch_mark));
        const char *path = tg_image_text(bytes);
        struct tg_watch_mark mark;

        if (at == NULL || path == NULL)
            return blame(in, "is corrupted: the list of what it was made of");
        memcpy(&mark, at, sizeof(mark));
        if (!tg_watch_restore(&watching, path, &mark))
            return blame(in, tg_no_memory);
    }
    return true;
}

/* The image itself is on the list from then on: another one in its place is another version. */
static bool is_fresh(struct opening *in)
{
    struct tg_image *image = in->image;
    const struct tg_watching watching = {in->arena, &image->watch};
    struct timespec begun = {(time_t)image->header.begun, (long)image->header.begun_ns};
    const char *difference;

    if (tg_image_is_racy(tg_watch_newest(image->watch), begun))
        return blame(in, "is stale: a file that it was made of had only just been written");
    difference = tg_watch_difference(in->arena, image->watch);
    if (difference != NULL)
        return blame(in, tg_arena_sentence(in->arena, "is stale: %s", difference));
    return tg_watch_opened(&watching, image->path, &in->status) || blame(in, tg_no_memory);
}

static bool open_image(struct opening *in, enum tg_image_content content)
{
    const struct tg_image_header *header = &in->image->header;

    return open_file(in) && read_header(in, content) &&
           parse(in, header->path, header->path_size, read_path) &&
           parse(in, header->marks, header->marks_size, read_marks) && is_fresh(in);
}

struct tg_image *tg_image_open(struct tg_arena *arena, const char *path,
                               enum tg_image_content content, const char **why)
{
    struct tg_image *image = tg_arena_alloc(arena, sizeof(*image));
    struct opening in = {.arena = arena, .image = image, .path = path, .fd = -1};
    bool opened;

    *why = tg_no_memory;
    if (image == NULL)
        return NULL;
    image->path = tg_arena_sentence(arena, "%s" TG_IMAGE_SUFFIX, path);
    opened = image->path != tg_no_memory && open_image(&in, content);
    if (in.fd >= 0)
        close(in.fd);
    *why = in.why;
    if (opened)
        return image;
    tg_image_close(image);
    return NULL;
}

void tg_image_close(struct tg_image *image)
{
    if (image != NULL)
        tg_mapping_close(&image->mapping);
}
