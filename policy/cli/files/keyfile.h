/* keyfile.h - the public key in files that hold no certificate. */
#ifndef TG_KEYFILE_H
#define TG_KEYFILE_H

#include "hash.h"
#include "text.h"

/*
 * The SPKI digest of the key in PATH: a private or public key or a certificate request, PEM or DER.
 * *KIND is what it is: "public key". False with a sentence in WHY; no password is asked for.
 */
bool tg_keyfile_pin(const char *path, uint8_t pin[TG_SHA256_SIZE], const char **kind,
                    struct tg_buf *why);

#endif
