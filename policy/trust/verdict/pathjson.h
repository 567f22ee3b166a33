/*
 * pathjson.h - certificates and paths in JSON. What was written once is remembered, within bounds.
 * Safe in threads and after fork.
 */
#ifndef TG_PATHJSON_H
#define TG_PATHJSON_H

#include "text.h"
#include "verdict.h"

/* Appends {"subject","issuer","not_before","not_after","sha256","spki"} of CERTIFICATE. */
void tg_pathjson_certificate(struct tg_buf *buf, const X509 *certificate);

/* Appends the array of VERDICT's path: subject, issuer, dates and digests of each certificate. */
void tg_pathjson_path(struct tg_buf *buf, const struct tg_verdict *verdict);

#endif
