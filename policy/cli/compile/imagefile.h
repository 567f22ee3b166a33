/* imagefile.h - writes an image (image.h): records and keys as they come, and the table of the keys
 * at the end. What is kept in memory are 16 bytes a key, and 8 a block. */
#ifndef TG_IMAGEFILE_H
#define TG_IMAGEFILE_H

#include "image.h"
#include "text.h"
#include <limits.h>

/* Zero-initialise it; whatever begin returned, tg_imagefile_end it. */
struct tg_imagefile {
    char path[PATH_MAX], temporary[PATH_MAX + 64]; /* empty: it has no name yet */
    int fd;                                        /* counts where `open` */
    bool open;
    int error; /* errno of what failed; sticky */
    struct tg_image_header header;
    unsigned char *buffer; /* whole blocks that are to be written at `written` */
    size_t used;
    uint64_t written;
    uint64_t *sums;
    size_t sum_room;
    struct tg_image_slot *slots; /* of the keys, in the order of their hashes once it is closed */
    size_t slot_count, slot_room;
};

/* Begins the image of FILE, absolute, beside it. False with a sentence in WHY. */
TG_MUST_USE bool tg_imagefile_begin(struct tg_imagefile *out, const char *file,
                                    enum tg_image_content content, struct tg_buf *why);

/* Where the next record will stand. */
uint64_t tg_imagefile_offset(const struct tg_imagefile *out);

/* Appends a record with LENGTH bytes at TEXT; returns its offset. */
uint64_t tg_imagefile_put(struct tg_imagefile *out, uint32_t kind, uint64_t tag, uint64_t value,
                          const void *text, size_t length);

/* Enters VALUE under a key. */
void tg_imagefile_key(struct tg_imagefile *out, uint32_t kind, uint64_t tag, const char *text,
                      size_t length, uint64_t value);

/* Appends bytes; returns their offset. */
uint64_t tg_imagefile_bytes(struct tg_imagefile *out, const void *bytes, size_t length);

/* True if something of it couldn't be written, with a sentence in WHY. */
bool tg_imagefile_failed(const struct tg_imagefile *out, struct tg_buf *why);

/* No record or key is entered from now on; they can be read. */
void tg_imagefile_close(struct tg_imagefile *out);

/* The LENGTH bytes at OFFSET of a closed one. */
TG_MUST_USE bool tg_imagefile_read(struct tg_imagefile *out, uint64_t offset, void *bytes,
                                   size_t length);

/*
 * Writes what is left: the sources on WATCH, the ROOT and the table; syncs it, and gives it MODE,
 * the GROUP and its name. False with a sentence in WHY, and an older image as it was.
 */
TG_MUST_USE bool tg_imagefile_commit(struct tg_imagefile *out, const struct tg_watch *watch,
                                     const struct tg_buf *root, mode_t mode, gid_t group,
                                     struct tg_buf *why);

void tg_imagefile_end(struct tg_imagefile *out);

/* Appends to BYTES: a number; a number and so many bytes with their NUL. */
void tg_imagefile_add_number(struct tg_buf *bytes, uint64_t number);
void tg_imagefile_add_text(struct tg_buf *bytes, const char *text);

#endif
