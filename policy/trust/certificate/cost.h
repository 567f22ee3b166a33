/*
 * cost.h - what checking costs at most, so that a server that nobody has vouched for can't make us
 * work at will. Estimates of the worst case; no certificate is checked here.
 */
#ifndef TG_COST_H
#define TG_COST_H

#include <openssl/x509.h>

/* What one evaluation may spend on paths without an anchor or with a wrong signature. */
#define TG_COST_MAX 100000 /* microseconds, roughly */

/* Microseconds, roughly, that one signature by CERTIFICATE's key takes at most to verify. */
unsigned long tg_cost_key(const X509 *certificate);

/* The same for all names on PATH to be compared with all name constraints (RFC 5280 section 6.1.3
 * b, c). */
unsigned long tg_cost_names(const STACK_OF(X509) *path);

#endif
