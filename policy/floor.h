/* floor.h - the least that a rule asks of the connection and its keys: min-tls, min-rsa-bits. */
#ifndef TG_FLOOR_H
#define TG_FLOOR_H

#include "attempt.h"

/* Adds a finding for the TLS version, and for each RSA key on the path, below the rule's floor. */
void tg_floor_check(struct tg_evaluation *evaluation);

#endif
