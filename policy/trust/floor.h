/* floor.h - the least that a rule asks of the connection and its keys: min-tls, min-rsa-bits. */
#ifndef TG_FLOOR_H
#define TG_FLOOR_H

#include "evaluation.h"

/* Adds a finding for a TLS version below the rule's floor. */
void tg_floor_check(struct tg_evaluation *evaluation);

/* And one for each RSA key on PATH, to FINDINGS: so that a path without it is preferred. */
void tg_floor_check_path(const struct tg_rule *rule, const STACK_OF(X509) *path,
                         struct tg_findings *findings);

#endif
