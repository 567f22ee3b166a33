/*
 * floor.h - the least that a rule asks of the connection and of the keys on its path: min-tls and
 * min-rsa-bits. What is below is a finding.
 */
#ifndef TG_FLOOR_H
#define TG_FLOOR_H

#include "evaluation.h"

/* Adds a finding for a TLS version below the rule's floor. */
void tg_floor_check(struct tg_evaluation *evaluation);

/* Adds to FINDINGS for each RSA key on PATH that is too short: so that a path without is preferred.
 */
void tg_floor_check_path(const struct tg_rule *rule, const STACK_OF(X509) *path,
                         struct tg_findings *findings);

#endif
