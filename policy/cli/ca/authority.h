/* authority.h - the folder of a local CA: its own files, and below issued/ those it made. */
#ifndef TG_AUTHORITY_H
#define TG_AUTHORITY_H

#include "certify.h"
#include "cli.h"
#include "save.h"
#include "text.h"

/* Zero-initialise; tg_authority_clear it. */
struct tg_authority {
    char folder[PATH_MAX];
    X509 *root;
    EVP_PKEY *key;
};

/* Finds the folder: --dir, or trustgraft/ca below the user's data. False after a complaint. */
bool tg_authority_locate(struct tg_authority *authority, const struct tg_options *options);

/* Writes the path of NAME in the folder to OUT. False after a complaint. */
bool tg_authority_path(const struct tg_authority *authority, const char *name, char out[PATH_MAX]);

/*
 * Writes its root and key, which it has, as the folder's. False after a complaint: also where
 * the folder has a CA already.
 */
bool tg_authority_found(const struct tg_authority *authority);

/* Reads them. False after a complaint. */
bool tg_authority_load(struct tg_authority *authority);

void tg_authority_clear(struct tg_authority *authority);

/* A private key from PATH, its owner's alone. NULL and *MISSING, or NULL after a complaint. */
EVP_PKEY *tg_authority_read_key(const char *path, bool *missing);

/* The first certificate of PATH. NULL and *MISSING, or NULL after a complaint. */
X509 *tg_authority_read_certificate(const char *path, bool *missing);

/* Appends KEY or CERTIFICATE in PEM. */
bool tg_authority_pem(struct tg_buf *out, const EVP_PKEY *key, const X509 *certificate);

#endif
