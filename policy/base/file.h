/*
 * file.h - reading the files of a policy: opened once, checked on the descriptor, read whole.
 */
#ifndef TG_FILE_H
#define TG_FILE_H

#include "trustgraft.h"
#include "watch.h"

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
const char *tg_file_read(struct tg_arena *arena, const char *path, struct tg_file *out);
/* The same up to MOST bytes, whole MiB, in place of TG_FILE_MAX. */
const char *tg_file_read_most(struct tg_arena *arena, const char *path, size_t most,
                              struct tg_file *out);
void tg_file_clear(struct tg_file *file);

/*
 * The certificates of PATH, a PEM or DER file, or a directory of them (its *.pem, *.crt,
 * *.cer, *.der and hashed HASH.N entries; the same checks for the directory and each file).
 * Appends to OUT without duplicates. Returns NULL, or a sentence as above; OUT may then hold
 * some of them. A file without a certificate, with one that doesn't parse, or an empty
 * directory is an error. What is opened is noted in WATCHING, which may be NULL.
 */
const char *tg_file_certificates(struct tg_arena *arena, const char *path, STACK_OF(X509) *out,
                                 const struct tg_watching *watching);

/* The same for CRLs: of a directory its *.pem, *.crl, *.der and HASH.rN entries. */
const char *tg_file_crls(struct tg_arena *arena, const char *path, STACK_OF(X509_CRL) *out,
                         const struct tg_watching *watching);

/* The SPKI digest of the one PEM certificate or public key in PATH. */
const char *tg_file_spki(struct tg_arena *arena, const char *path, unsigned char out[32],
                         const struct tg_watching *watching);
/* The same as tg_twin_key has it, whatever its encoding. */
const char *tg_file_key(struct tg_arena *arena, const char *path, unsigned char out[32],
                        const struct tg_watching *watching);

#endif
