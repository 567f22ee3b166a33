/*
 * extension.h - the extensions that libcrypto decodes as soon as a certificate is put into a store
 * (its ossl_x509v3_cache_extensions). What it finds wrong with one makes
 * the certificate invalid, and is told on its error queue there and then.
 */
#ifndef TG_EXTENSION_H
#define TG_EXTENSION_H

#include "der.h"

/* True if libcrypto finds nothing wrong with VALUE, in the extension IDENTIFIER; false: it may. */
TG_MUST_USE bool tg_extension_is_plain(const struct tg_der *identifier, struct tg_der value);

#endif
