/* pem.h - keys and certificates as the text that other programs read. */
#ifndef TG_PEM_H
#define TG_PEM_H

#include "text.h"
#include "trustgraft.h"
#include <openssl/x509.h>

/* Appends KEY, not encrypted, and CERTIFICATE in PEM; NULL: not that one. False: memory ran out. */
TG_MUST_USE bool tg_pem_add(struct tg_buf *out, const EVP_PKEY *key, const X509 *certificate);

#endif
