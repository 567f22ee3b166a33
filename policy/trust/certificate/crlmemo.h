/*
 * crlmemo.h - which CRLs of a policy were found genuine for which issuer. It may forget, and says
 * no more than that: a CRL that isn't found here is checked once more. Safe in threads and after
 * fork.
 */
#ifndef TG_CRLMEMO_H
#define TG_CRLMEMO_H

#include "policy.h"

/* MEMO is a policy's crl_memo, NULL: nothing is kept; ISSUER the digest of a certificate. */
bool tg_crlmemo_has(const struct tg_crl_memo *memo, const X509_CRL *crl,
                    const uint8_t issuer[TG_SHA256_SIZE]);
void tg_crlmemo_add(struct tg_crl_memo *memo, const X509_CRL *crl,
                    const uint8_t issuer[TG_SHA256_SIZE]);

#endif
