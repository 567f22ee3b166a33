/* spiffe.h - the authorities of a SPIFFE trust domain as a rule's anchors
 * (the standard "SPIFFE Trust Domain and Bundle", section 4). */
#ifndef TG_SPIFFE_H
#define TG_SPIFFE_H

#include "translate.h"

/*
 * Translates the bundle TEXT, any text: appends the certificates of its authorities to PEM, and to
 * the policy a rule for PATTERN, a pattern of [host], whose anchors they are, in the file ANCHORS,
 * a path without control characters. What isn't for X.509 is a gap; what is malformed, and a bundle
 * without such a certificate, an error: PEM isn't to be used then.
 */
void tg_translate_spiffe(struct tg_translation *out, const struct tg_buf *text, const char *pattern,
                         const char *anchors, struct tg_buf *pem);

#endif
