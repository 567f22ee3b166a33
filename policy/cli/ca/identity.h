/* identity.h - a server's key and certificate as files: PEM and PKCS#12. */
#ifndef TG_IDENTITY_H
#define TG_IDENTITY_H

#include "authority.h"

/* Zero-initialise; tg_identity_clear it. */
struct tg_identity {
    struct tg_names names;
    int days;
    char key_path[PATH_MAX], path[PATH_MAX], bundle_path[PATH_MAX];
    EVP_PKEY *key;
    X509 *leaf;
    X509 *before;   /* the certificate that was there; NULL: none */
    bool key_made;  /* the key is new */
    bool key_there; /* and takes the place of another */
};

/* Finds its files, reads what is there, and makes what is asked for. False after a complaint. */
bool tg_identity_make(struct tg_identity *identity, const struct tg_authority *authority,
                      const struct tg_options *options);

/* Writes its files; PASSWORD is that of the PKCS#12 file. False after a complaint. */
bool tg_identity_write(const struct tg_identity *identity, const struct tg_authority *authority,
                       const char *password);

/* True if the certificate before was for the same names. */
bool tg_identity_renews(const struct tg_identity *identity);

void tg_identity_clear(struct tg_identity *identity);

#endif
