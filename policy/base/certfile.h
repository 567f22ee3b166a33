/* certfile.h - what the readers of files share: files below a directory, equal certificates. */
#ifndef TG_CERTFILE_H
#define TG_CERTFILE_H

#include "file.h"
#include <sys/stat.h>

/* True if a file or directory of this STATUS belongs to root or the effective user. */
bool tg_file_is_own(const struct stat *status);

/* NULL, or the sentence that says who else can write a file or directory of this STATUS. */
const char *tg_file_writer(struct tg_arena *arena, const struct stat *status);

/*
 * Opens NAME below DIRECTORY (a descriptor or AT_FDCWD) and checks that it is of TYPE (S_IFREG
 * or S_IFDIR) and that no one else can write it. NULL and *OUT to close, or a sentence.
 */
const char *tg_file_open(struct tg_arena *arena, int directory, const char *name, mode_t type,
                         int *out, struct stat *status);

/* tg_file_read of NAME below DIRECTORY. */
const char *tg_file_read_at(struct tg_arena *arena, int directory, const char *name,
                            struct tg_file *out);

/*
 * Takes out of CERTS, and frees, each certificate that is in there before; the others keep
 * their order. NULL, or a sentence when memory ran out: nothing was taken then.
 */
const char *tg_certificates_unique(STACK_OF(X509) *certs);

#endif
