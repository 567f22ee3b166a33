/* certfile.h - what the files of certificates share: reading below a directory, PEM blocks. */
#ifndef TG_CERTFILE_H
#define TG_CERTFILE_H

#include "file.h"
#include <sys/stat.h>

/*
 * Opens NAME below DIRECTORY (a descriptor or AT_FDCWD) and checks that it is of TYPE (S_IFREG
 * or S_IFDIR) and that no one else can write it. NULL and *OUT to close, or a sentence.
 */
const char *tg_file_open(struct tg_arena *arena, int directory, const char *name, mode_t type,
                         int *out, struct stat *status);

/* tg_file_read of NAME below DIRECTORY. */
const char *tg_file_read_at(struct tg_arena *arena, int directory, const char *name,
                            struct tg_file *out);

#endif
