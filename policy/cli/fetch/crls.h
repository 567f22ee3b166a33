/* crls.h - a CRL from elsewhere: is it what its certificate's issuer says, and does it count now?
 */
#ifndef TG_CRLS_H
#define TG_CRLS_H

#include "text.h"
#include "trustgraft.h"
#include <openssl/x509.h>

/* A CRL in DER or PEM, and nothing behind it. NULL with a sentence in WHY. */
TG_MUST_USE X509_CRL *tg_crls_parse(const struct tg_buf *data, struct tg_buf *why);

/*
 * True if CRL is ISSUER's own: name and signature, of a kind that evaluation understands and
 * that is complete (RFC 5280 section 5.2), and now between its dates. Else a sentence in WHY.
 */
TG_MUST_USE bool tg_crls_genuine(X509_CRL *crl, X509 *issuer, struct tg_buf *why);

/*
 * True unless the file PATH holds a newer one of the same issuer: whoever is in between could
 * give back an old list, which lacks the latest revocations. Else a sentence in WHY. *SAME: it
 * holds this very one.
 */
TG_MUST_USE bool tg_crls_follows(X509_CRL *crl, const char *path, bool *same, struct tg_buf *why);

/*
 * Beside each CRL that was fetched stands FILE.source: where it is from, and who signs it. URL
 * and ISSUER are set from it; the caller frees both. False with a sentence in WHY.
 */
TG_MUST_USE bool tg_crls_source_read(const char *path, char **url, X509 **issuer,
                                     struct tg_buf *why);

/* Appends CRL in DER, and what FILE.source has. False: memory ran out. */
TG_MUST_USE bool tg_crls_encode(struct tg_buf *out, X509_CRL *crl);
TG_MUST_USE bool tg_crls_source_write(struct tg_buf *out, const char *url, X509 *issuer);

/* Appends PATH's FILE.source. */
void tg_crls_source_path(struct tg_buf *out, const char *path);

#endif
