/*
 * spki.h - where the key of a certificate lies in its DER. To have libcrypto decode a certificate
 * costs as much as to verify a server's: it makes the key usable at once, which a pin has no use
 * for.
 */
#ifndef TG_SPKI_H
#define TG_SPKI_H

#include "trustgraft.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * The SubjectPublicKeyInfo of the certificate (RFC 5280 section 4.1) that DER is, LENGTH bytes;
 * *SPKI, of *SIZE bytes, lies in DER. These bytes are what libcrypto would make of the decoded key.
 * False for whatever isn't plain enough to be sure of that: libcrypto has to say what it is then.
 */
TG_MUST_USE bool tg_spki_find(const unsigned char *der, size_t length, const unsigned char **spki,
                              size_t *size);

#endif
