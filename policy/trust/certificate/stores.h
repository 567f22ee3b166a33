/*
 * stores.h - where this system has its CAs and OpenSSL's settings, for a libcrypto that was built
 * for no system: `make portable` links them with it in the place of its own functions (ld's
 * --wrap).
 */
#ifndef TG_STORES_H
#define TG_STORES_H

/* X509_get_default_cert_file: the bundle of CAs. OpenSSL looks into /etc/ssl/certs besides. */
const char *tg_stores_file(void) __asm__("__wrap_X509_get_default_cert_file");

/* X509_get_default_cert_area: the folder of openssl.cnf. */
const char *tg_stores_area(void) __asm__("__wrap_X509_get_default_cert_area");

#endif
