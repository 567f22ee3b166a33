/* credential.h - a server's key and certificate as files: PEM and PKCS#12. */
#ifndef TG_CREDENTIAL_H
#define TG_CREDENTIAL_H

#include "ca.h"
#include "trustgraft.h"

/* Zero-initialise; tg_credential_clear it. */
struct tg_credential {
    struct tg_altnames names;
    int days;
    char key_path[PATH_MAX], path[PATH_MAX], bundle_path[PATH_MAX];
    EVP_PKEY *key;
    X509 *leaf;
    X509 *before;   /* the certificate that was there; NULL: none */
    bool key_made;  /* the key is new */
    bool key_there; /* and takes the place of another */
};

/* Finds its files, reads what is there, and makes what is asked for. False after a complaint. */
TG_MUST_USE bool tg_credential_make(struct tg_credential *credential, const struct tg_ca *ca,
                                    const struct tg_options *options);

/* Writes its files; PASSWORD is that of the PKCS#12 file. False after a complaint. */
TG_MUST_USE bool tg_credential_write(const struct tg_credential *credential, const struct tg_ca *ca,
                                     const char *password);

/* True if the certificate before was for the same names. */
bool tg_credential_renews(const struct tg_credential *credential);

void tg_credential_clear(struct tg_credential *credential);

#endif
