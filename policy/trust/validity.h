/*
 * validity.h - how long an acceptance holds: until a certificate, a CRL, a stapled answer, the pins
 * or the exception behind it end.
 */
#ifndef TG_VALIDITY_H
#define TG_VALIDITY_H

#include "evaluation.h"
#include "verdict.h"

/*
 * Sets VERDICT's valid_from and valid_until. TRUSTED: the leaf is trusted whatever it says, so that
 * no dates of certificates count.
 */
void tg_validity_set(struct tg_verdict *verdict, const struct tg_evaluation *evaluation,
                     bool trusted);

/* True if VERDICT holds at NOW. A clock that was set back makes one from the future unusable. */
bool tg_validity_holds(const struct tg_verdict *verdict, time_t now);

#endif
