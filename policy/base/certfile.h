/* certfile.h - the certificates, CRLs and keys in a file or a directory of files. */
#ifndef TG_CERTFILE_H
#define TG_CERTFILE_H

#include "hash.h"
#include "mem.h"
#include "watch.h"
#include <openssl/x509.h>

/*
 * The certificates of PATH, a PEM or DER file, or a directory of them (its *.pem, *.crt,
 * *.cer, *.der and hashed HASH.N entries; the same checks for the directory and each file).
 * Appends to OUT without duplicates. Returns NULL, or a sentence as above; OUT may then hold
 * some of them. A file without a certificate, with one that doesn't parse, or an empty
 * directory is an error. What is opened is noted in WATCHING, which may be NULL.
 */
TG_MUST_USE const char *tg_file_certificates(struct tg_arena *arena, const char *path,
                                             STACK_OF(X509) *out,
                                             const struct tg_watching *watching);

/* The same for CRLs: of a directory its *.pem, *.crl, *.der and HASH.rN entries. */
TG_MUST_USE const char *tg_file_crls(struct tg_arena *arena, const char *path,
                                     STACK_OF(X509_CRL) *out, const struct tg_watching *watching);

/* The SPKI digest of the one PEM certificate or public key in PATH. */
TG_MUST_USE const char *tg_file_spki(struct tg_arena *arena, const char *path,
                                     uint8_t out[TG_SHA256_SIZE],
                                     const struct tg_watching *watching);
/* The same as tg_twin_key has it, whatever its encoding. */
TG_MUST_USE const char *tg_file_key(struct tg_arena *arena, const char *path,
                                    uint8_t out[TG_SHA256_SIZE],
                                    const struct tg_watching *watching);

#endif
