/* ca.h - the folder of a local CA: its own files, and below issued/ those it made. */
#ifndef TG_CA_H
#define TG_CA_H

#include "certify.h"
#include "cli.h"
#include "save.h"
#include "text.h"
#include "trustgraft.h"

/* Zero-initialise; tg_ca_clear it. */
struct tg_ca {
    char folder[PATH_MAX];
    X509 *root;
    EVP_PKEY *key;
    int lock; /* counts where `locked` */
    bool locked;
};

/* Finds the folder: --dir, or trustgraft/ca below the user's data. False after a complaint. */
TG_MUST_USE bool tg_ca_locate(struct tg_ca *ca, const struct tg_options *options);

/* Writes the path of NAME in the folder to OUT. False after a complaint. */
TG_MUST_USE bool tg_ca_path(const struct tg_ca *ca, const char *name, char out[PATH_MAX]);

/*
 * Writes its root and key, which it has, as the folder's. False after a complaint: also where
 * the folder has a CA already.
 */
TG_MUST_USE bool tg_ca_create(const struct tg_ca *ca);

/*
 * Waits until nobody else issues from it, and keeps others waiting until it is cleared: a key and
 * the certificate made of it go together. False after a complaint, also where others than the user
 * and root can change what is in the folder; true where there is no such folder.
 */
TG_MUST_USE bool tg_ca_lock(struct tg_ca *ca);

/* Reads its certificate and, PRIVATELY, its key. False after a complaint. */
TG_MUST_USE bool tg_ca_load(struct tg_ca *ca, bool privately);

void tg_ca_clear(struct tg_ca *ca);

/* A private key from PATH, its owner's alone. NULL and *MISSING, or NULL after a complaint. */
TG_MUST_USE EVP_PKEY *tg_ca_read_key(const char *path, bool *missing);

/* The first certificate of PATH. NULL and *MISSING, or NULL after a complaint. */
TG_MUST_USE X509 *tg_ca_read_certificate(const char *path, bool *missing);

#endif
