#include "imagefile.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFERED = 256 * TG_IMAGE_BLOCK };

static bool blame(struct tg_buf *why, const char *what, int error)
{
    tg_buf_printf(why, "%s: %s", what, strerror(error));
    return false;
}

/* ---- bytes --------------------------------------------------------------------------------- */

static bool write_at(struct tg_imagefile *out, uint64_t offset, const void *bytes, size_t length)
{
    const char *at = bytes;

    while (length > 0 && out->error == 0) {
        ssize_t done = pwrite(out->fd, at, length, (off_t)offset);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            out->error = errno;
            return false;
        }
        at += done;
        offset += (uint64_t)done;
        length -= (size_t)done;
    }
    return out->error == 0;
}

/* *ARRAY has room for one more of SIZE bytes than COUNT. */
static bool make_room(struct tg_imagefile *out, void *array, size_t *room, size_t count,
                      size_t size)
{
    void **old = array;
    size_t more = *room > 0 ? *room + *room / 2 : 4096;
    void *grown;

    if (out->error != 0 || count < *room)
        return out->error == 0;
    grown = more < SIZE_MAX / size ? realloc(*old, more * size) : NULL;
    if (grown == NULL) {
        out->error = ENOMEM;
        return false;
    }
    *old = grown;
    *room = more;
    return true;
}

static void add_sum(struct tg_imagefile *out, uint64_t number, const unsigned char *block)
{
    if (make_room(out, &out->sums, &out->sum_room, number, sizeof(*out->sums)))
        out->sums[number] = tg_image_checksum(out->header.id, number, block);
}

/* Writes the whole blocks that the buffer holds. */
static void flush(struct tg_imagefile *out)
{
    size_t whole = out->used - out->used % TG_IMAGE_BLOCK;

    for (size_t at = 0; at < whole; at += TG_IMAGE_BLOCK)
        add_sum(out, (out->written + at) / TG_IMAGE_BLOCK, out->buffer + at);
    (void)write_at(out, out->written, out->buffer, whole);
    memmove(out->buffer, out->buffer + whole, out->used - whole);
    out->used -= whole;
    out->written += whole;
}

uint64_t tg_imagefile_offset(const struct tg_imagefile *out)
{
    return out->written + out->used;
}

uint64_t tg_imagefile_bytes(struct tg_imagefile *out, const void *bytes, size_t length)
{
    uint64_t offset = tg_imagefile_offset(out);
    const char *at = bytes;

    while (length > 0 && out->error == 0) {
        size_t piece = BUFFERED - out->used;

        piece = piece < length ? piece : length;
        memcpy(out->buffer + out->used, at, piece);
        out->used += piece;
        at += piece;
        length -= piece;
        if (out->used == BUFFERED)
            flush(out);
    }
    return offset;
}

/* Up to a multiple of SIZE. */
static void pad(struct tg_imagefile *out, size_t size)
{
    static const char zeros[TG_IMAGE_BLOCK];
    size_t over = tg_imagefile_offset(out) % size;

    if (over > 0)
        tg_imagefile_bytes(out, zeros, size - over);
}

/* ---- records and keys ----------------------------------------------------------------------- */

uint64_t tg_imagefile_put(struct tg_imagefile *out, uint32_t kind, uint64_t tag, uint64_t value,
                          const void *text, size_t length)
{
    struct tg_image_record record = {kind, (uint32_t)length, tag, value};
    uint64_t offset = tg_imagefile_bytes(out, &record, sizeof(record));

    if (length > UINT32_MAX - 8)
        out->error = EFBIG;
    tg_imagefile_bytes(out, text, length);
    pad(out, 8);
    return offset;
}

void tg_imagefile_key(struct tg_imagefile *out, uint32_t kind, uint64_t tag, const char *text,
                      size_t length, uint64_t value)
{
    uint64_t offset = tg_imagefile_put(out, kind, tag, value, text, length);

    if (make_room(out, &out->slots, &out->slot_room, out->slot_count, sizeof(*out->slots)))
        out->slots[out->slot_count++] =
            (struct tg_image_slot){tg_image_hash(kind, tag, text, length), offset};
}

bool tg_imagefile_failed(const struct tg_imagefile *out, struct tg_buf *why)
{
    return out->error != 0 && !blame(why, "can't be written", out->error);
}

static int compare(const void *one, const void *other)
{
    const struct tg_image_slot *a = one, *b = other;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

void tg_imagefile_close(struct tg_imagefile *out)
{
    out->header.records_end = tg_imagefile_offset(out);
    pad(out, TG_IMAGE_BLOCK);
    if (out->error != 0)
        return;
    flush(out);
    if (out->slot_count > 0)
        qsort(out->slots, out->slot_count, sizeof(*out->slots), compare);
}

bool tg_imagefile_read(struct tg_imagefile *out, uint64_t offset, void *bytes, size_t length)
{
    return pread(out->fd, bytes, length, (off_t)offset) == (ssize_t)length;
}

/* ---- the file ------------------------------------------------------------------------------- */

/* It has no name until it is whole, where the file system can do that. */
static bool open_file(struct tg_imagefile *out, struct tg_buf *why)
{
    const char *slash = strrchr(out->path, '/');
    char folder[PATH_MAX];

    snprintf(folder, sizeof(folder), "%.*s", (int)(slash - out->path) + 1, out->path);
    out->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (out->fd == -1) {
        snprintf(out->temporary, sizeof(out->temporary), "%s.XXXXXX", out->path);
        out->fd = mkostemp(out->temporary, O_CLOEXEC);
    }
    out->open = out->fd != -1;
    if (!out->open)
        out->temporary[0] = '\0';
    return out->open || blame(why, "its folder can't be written", errno);
}

/* What the file system's clock says: it is what sources are stamped with. */
static bool look_at_clock(struct tg_imagefile *out, struct tg_buf *why)
{
    static const unsigned char byte;
    struct stat status;

    if (!write_at(out, 0, &byte, sizeof(byte)) || fstat(out->fd, &status) != 0)
        return blame(why, "can't be written", out->error != 0 ? out->error : errno);
    out->header.begun = status.st_mtim.tv_sec;
    out->header.begun_ns = status.st_mtim.tv_nsec;
    out->header.id = (uint64_t)status.st_mtim.tv_sec << 32 ^
                     (uint64_t)status.st_mtim.tv_nsec << 12 ^ (uint64_t)getpid() << 40 ^
                     status.st_ino;
    return true;
}

bool tg_imagefile_begin(struct tg_imagefile *out, const char *file, enum tg_image_content content,
                        struct tg_buf *why)
{
    struct tg_image_header *header = &out->header;

    *header = (struct tg_image_header){.order = TG_IMAGE_ORDER,
                                       .pointer = sizeof(void *),
                                       .format = TG_IMAGE_FORMAT,
                                       .content = content};
    memcpy(header->magic, TG_IMAGE_MAGIC, sizeof(TG_IMAGE_MAGIC));
    snprintf(header->version, sizeof(header->version), "%s", TG_VERSION);
    if (snprintf(out->path, sizeof(out->path), "%s" TG_IMAGE_SUFFIX, file) >=
        (int)sizeof(out->path))
        return blame(why, "its path", ENAMETOOLONG);
    out->buffer = malloc(BUFFERED);
    if (out->buffer == NULL)
        return blame(why, "can't be written", ENOMEM);
    if (!open_file(out, why) || !look_at_clock(out, why))
        return false;
    out->written = TG_IMAGE_BLOCK; /* the header comes last */
    header->records = out->written;
    header->path_size = strlen(file) + 1;
    return true;
}

void tg_imagefile_add_number(struct tg_buf *bytes, uint64_t number)
{
    tg_buf_addn(bytes, (const char *)&number, sizeof(number));
}

void tg_imagefile_add_text(struct tg_buf *bytes, const char *text)
{
    tg_imagefile_add_number(bytes, strlen(text) + 1);
    tg_buf_addn(bytes, text, strlen(text) + 1);
}

static void add_mark(void *arg, const char *path, const struct tg_watch_mark *mark)
{
    tg_buf_addn(arg, (const char *)mark, sizeof(*mark));
    tg_imagefile_add_text(arg, path);
}

static void put_buffer(struct tg_imagefile *out, const struct tg_buf *bytes, uint64_t *offset,
                       uint64_t *size)
{
    if (bytes->failed)
        out->error = ENOMEM;
    *size = bytes->length;
    *offset = tg_imagefile_bytes(out, bytes->text, bytes->length);
}

/* Each at its home, or as soon behind it as there is room; a free one ends the table. */
static void put_table(struct tg_imagefile *out)
{
    static const struct tg_image_slot none;
    uint64_t at = 0, homes = out->slot_count + out->slot_count / 3 + 1;

    pad(out, TG_IMAGE_BLOCK);
    out->header.homes = homes;
    out->header.table = tg_imagefile_offset(out);
    for (size_t i = 0; i < out->slot_count; i++) {
        for (; at < tg_image_home(out->slots[i].hash, homes); at++)
            tg_imagefile_bytes(out, &none, sizeof(none));
        tg_imagefile_bytes(out, &out->slots[i], sizeof(out->slots[i]));
        at++;
    }
    for (; at < homes; at++)
        tg_imagefile_bytes(out, &none, sizeof(none));
    tg_imagefile_bytes(out, &none, sizeof(none));
    out->header.slots = at + 1;
}

static void put_header(struct tg_imagefile *out)
{
    struct tg_image_header *header = &out->header;
    unsigned char block[TG_IMAGE_BLOCK] = {0};

    pad(out, TG_IMAGE_BLOCK);
    flush(out);
    header->blocks = out->written / TG_IMAGE_BLOCK;
    header->size = out->written + header->blocks * sizeof(*out->sums);
    memcpy(block, header, sizeof(*header));
    add_sum(out, 0, block);
    if (out->error == 0 && write_at(out, 0, block, sizeof(block)))
        (void)write_at(out, out->written, out->sums, header->blocks * sizeof(*out->sums));
}

_Static_assert(sizeof(struct tg_image_header) <= TG_IMAGE_BLOCK, "the header is the first block");

/* Gives it its name. */
static bool name(struct tg_imagefile *out, struct tg_buf *why)
{
    char link[64];

    if (out->temporary[0] == '\0') {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", out->fd);
        snprintf(out->temporary, sizeof(out->temporary), "%s.%lu", out->path,
                 (unsigned long)getpid());
        (void)unlink(out->temporary);
        if (linkat(AT_FDCWD, link, AT_FDCWD, out->temporary, AT_SYMLINK_FOLLOW) != 0) {
            out->temporary[0] = '\0';
            return blame(why, "can't be given a name", errno);
        }
    }
    if (rename(out->temporary, out->path) != 0)
        return blame(why, "can't be replaced", errno);
    out->temporary[0] = '\0';
    return true;
}

bool tg_imagefile_commit(struct tg_imagefile *out, const struct tg_watch *watch,
                         const struct tg_buf *root, mode_t mode, gid_t group, struct tg_buf *why)
{
    struct tg_image_header *header = &out->header;
    struct tg_buf marks = {0};

    tg_watch_marks(watch, add_mark, &marks);
    put_buffer(out, &marks, &header->marks, &header->marks_size);
    tg_buf_free(&marks);
    put_buffer(out, root, &header->root, &header->root_size);
    tg_imagefile_add_number(&marks, strlen(out->path) + 1 - strlen(TG_IMAGE_SUFFIX));
    tg_buf_addn(&marks, out->path, strlen(out->path) - strlen(TG_IMAGE_SUFFIX));
    tg_buf_addn(&marks, "", 1);
    put_buffer(out, &marks, &header->path, &header->path_size);
    tg_buf_free(&marks);
    put_table(out);
    put_header(out);
    if (tg_imagefile_failed(out, why))
        return false;
    if (fchown(out->fd, (uid_t)-1, group) != 0)
        mode &= ~(mode_t)S_IRGRP;
    if (fchmod(out->fd, mode) != 0 || fsync(out->fd) != 0)
        return blame(why, "can't be written", errno);
    return name(out, why);
}

void tg_imagefile_end(struct tg_imagefile *out)
{
    if (out->open)
        close(out->fd);
    if (out->temporary[0] != '\0')
        (void)unlink(out->temporary);
    free(out->buffer);
    free(out->sums);
    free(out->slots);
    *out = (struct tg_imagefile){0};
}
