/*
 * certificate.h - a certificate's DER as far as it has to be read to know that libcrypto will
 * decode it, whichever libcrypto that is, and will find nothing wrong with it.
 */
#ifndef TG_CERTIFICATE_H
#define TG_CERTIFICATE_H

#include "der.h"

/* The largest certificate that counts as one, in bytes. */
#define TG_CERTIFICATE_MAX 65535u

/*
 * True if FROM begins with a certificate (RFC 5280 section 4.1) that is well-formed down to each
 * extension (extension.h), and whose names libcrypto can compare; it is taken off. *SUBJECT is
 * what its subject consists of.
 */
TG_MUST_USE bool tg_certificate_take(struct tg_der *from, struct tg_der *subject);

/* True if FROM is the trust settings that stand behind a trusted certificate (x509(1)), and no
 * more. */
TG_MUST_USE bool tg_certificate_is_settings(struct tg_der from);

#endif
