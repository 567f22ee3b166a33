/*
 * file.h - reading the files of a policy: opened once, checked on the descriptor, read whole.
 * Nothing is believed that others could have written.
 */
#ifndef TG_FILE_H
#define TG_FILE_H

#include "mem.h"
#include <stdbool.h>
#include <sys/stat.h>

/* The largest file that is read, in bytes. */
#define TG_FILE_MAX (64u << 20)

struct tg_file {
    char *data; /* NUL-terminated, malloc'd; may hold NUL bytes itself */
    size_t size;
    struct stat status; /* of the descriptor, before it was read */
};

/*
 * Reads PATH, a regular file owned by root or the effective user and not writable by group
 * or others; never blocks on a FIFO or device. Returns NULL and fills *OUT (free with
 * tg_file_clear), or a sentence in ARENA that says what is wrong: "is writable by group
 * (mode 0664): chmod g-w", "No such file or directory"...
 */
TG_MUST_USE const char *tg_file_read(struct tg_arena *arena, const char *path, struct tg_file *out);
/* tg_file_read up to MOST bytes, whole MiB, in place of TG_FILE_MAX. */
TG_MUST_USE const char *tg_file_read_most(struct tg_arena *arena, const char *path, size_t most,
                                          struct tg_file *out);
void tg_file_clear(struct tg_file *file);

/* True if a file or directory of this STATUS belongs to root or the effective user. */
TG_MUST_USE bool tg_file_is_own(const struct stat *status);

/* NULL, or the sentence that says who else can write a file or directory of this STATUS. */
TG_MUST_USE const char *tg_file_writer(struct tg_arena *arena, const struct stat *status);

/*
 * Opens NAME below DIRECTORY (a descriptor or AT_FDCWD) and checks that it is of TYPE (S_IFREG
 * or S_IFDIR) and that no one else can write it. NULL and *OUT to close, or a sentence.
 */
TG_MUST_USE const char *tg_file_open(struct tg_arena *arena, int directory, const char *name,
                                     mode_t type, int *out, struct stat *status);

/* tg_file_read of NAME below DIRECTORY. */
TG_MUST_USE const char *tg_file_read_at(struct tg_arena *arena, int directory, const char *name,
                                        struct tg_file *out);

#endif
