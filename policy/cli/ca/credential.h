/* credential.h - the key and certificate of a server or client as files: PEM and PKCS#12. */
#ifndef TG_CREDENTIAL_H
#define TG_CREDENTIAL_H

#include "ca.h"
#include "trustgraft.h"

/* Room for the name of files; with an end and a serial number it is a name of a file. */
enum { TG_BASE_MOST = 180, TG_BASE_SIZE = 256 };

/* Zero-initialise; tg_credential_clear it. */
struct tg_credential {
    struct tg_altnames names;
    const char *base; /* what its files are called, but for their ends; NULL: as the first name */
    bool client;      /* for a TLS client, not a server */
    bool foreign;     /* `key` is a public one, whose private half is somewhere else */
    int days;
    char key_path[PATH_MAX], path[PATH_MAX], bundle_path[PATH_MAX], record_path[PATH_MAX];
    EVP_PKEY *key; /* that of a request is given; else it's read or made */
    X509 *leaf;
    X509 *before;   /* the certificate that was there; NULL: none */
    bool key_made;  /* the key is new */
    bool key_there; /* and takes the place of another */
    char own_base[TG_BASE_SIZE];
};

/*
 * Finds its files, and reads the certificate that is there. False after a complaint: also where a
 * name of files was given that can't be one.
 */
TG_MUST_USE bool tg_credential_find(struct tg_credential *credential, const struct tg_ca *ca);

/*
 * Takes from the certificate that is there, which tg_credential_find read, who it is for, and its
 * key where no private one is there. False after a complaint.
 */
TG_MUST_USE bool tg_credential_again(struct tg_credential *credential, const struct tg_ca *ca,
                                     const struct tg_options *options);

/* Makes what is asked for. False after a complaint. */
TG_MUST_USE bool tg_credential_make(struct tg_credential *credential, const struct tg_ca *ca,
                                    const struct tg_options *options);

/* Writes its files, and the CA's record of it; PASSWORD is that of the PKCS#12 file, which there is
 * unless the key is foreign. False after a complaint. */
TG_MUST_USE bool tg_credential_write(const struct tg_credential *credential, const struct tg_ca *ca,
                                     const char *password);

/* True if the certificate before was for the same names. */
bool tg_credential_renews(const struct tg_credential *credential);

/* True if CERTIFICATE is for TLS clients. */
bool tg_credential_is_client(X509 *certificate);

void tg_credential_clear(struct tg_credential *credential);

#endif
