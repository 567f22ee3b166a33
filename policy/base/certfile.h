/*
 * certfile.h - the certificates, CRLs and keys in the files that a policy names. What is read is
 * checked (parents.h, file.h) and noted in WATCHING, which may be NULL. Each returns NULL, or a
 * sentence in ARENA that says what is wrong; OpenSSL's error queue stays as it was.
 */
#ifndef TG_CERTFILE_H
#define TG_CERTFILE_H

#include "file.h"
#include "hash.h"
#include "mem.h"
#include "watch.h"

/* Where the certificates of files go, each with ARG. */
struct tg_certfile_to {
    /* One more reference to CERTIFICATE; false: no memory. */
    bool (*add)(void *arg, X509 *certificate);
    /* FILE, which BLOCKS PEM blocks begin in; false: it is decoded, and its certificates added. */
    bool (*add_file)(void *arg, const struct tg_file *file, size_t blocks);
    void *arg;
};

/*
 * The certificates of PATH, a PEM or DER file, or a directory of them (its *.pem, *.crt,
 * *.cer, *.der and hashed HASH.N entries), TO as they come; after an error some of them may be
 * there. A file without a certificate, with one that doesn't parse, or an empty directory is an
 * error.
 */
TG_MUST_USE const char *tg_file_certificates(struct tg_arena *arena, const char *path,
                                             struct tg_certfile_to *to,
                                             const struct tg_watching *watching);

/*
 * The CRLs of PATH, a file or a directory (its *.pem, *.crl, *.der and HASH.rN entries), appended
 * to OUT as they come. Where there is none, or one doesn't parse, is an error; OUT may then hold
 * some.
 */
TG_MUST_USE const char *tg_file_crls(struct tg_arena *arena, const char *path,
                                     STACK_OF(X509_CRL) *out, const struct tg_watching *watching);

/* The SPKI digest of the one PEM certificate or public key in PATH, as pins have it. */
TG_MUST_USE const char *tg_file_spki(struct tg_arena *arena, const char *path,
                                     uint8_t out[TG_SHA256_SIZE],
                                     const struct tg_watching *watching);

/* The digest by tg_twin_key, whatever the key's encoding, of the one in PATH, and *KEY itself, to
 * be freed; NULL: no algorithm that libcrypto has. */
TG_MUST_USE const char *tg_file_key(struct tg_arena *arena, const char *path,
                                    uint8_t out[TG_SHA256_SIZE], EVP_PKEY **key,
                                    const struct tg_watching *watching);

#endif
