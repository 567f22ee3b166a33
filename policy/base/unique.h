/* unique.h - each certificate once, however many files have it. */
#ifndef TG_UNIQUE_H
#define TG_UNIQUE_H

#include "trustgraft.h"

/*
 * Takes out of CERTS, and frees, each certificate that is in there before; the others keep
 * their order. NULL, or a sentence when memory ran out: nothing was taken then.
 */
TG_MUST_USE const char *tg_certificates_unique(STACK_OF(X509) *certs);

#endif
