/* request.h - a request for a certificate (PKCS#10, RFC 2986): its key never was here. */
#ifndef TG_REQUEST_H
#define TG_REQUEST_H

#include "altnames.h"
#include "trustgraft.h"
#include <openssl/x509.h>

/*
 * Reads PATH, in PEM or DER. *KEY is its public key, to free, which it is signed with, and strong
 * enough; NAMES, whose item is to be freed either way, those that it asks for: maybe none. What
 * else it asks for isn't read. False after a complaint.
 */
TG_MUST_USE bool tg_request_read(const char *path, EVP_PKEY **key, struct tg_altnames *names);

#endif
