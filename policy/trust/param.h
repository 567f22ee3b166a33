/*
 * param.h - what X509_verify_cert(3) is asked for on one path. Where the application's anchors
 * count, so do its flags, depth and CRLs, except those that would weaken a verification.
 */
#ifndef TG_PARAM_H
#define TG_PARAM_H

#include "evaluation.h"

/* The level of libssl that tg_query.security_level -1 stands for: OpenSSL 3.2's and Debian's. */
#define TG_DEFAULT_SECURITY_LEVEL 2

/* Sets the parameters of CONTEXT, which was initialised. False only when memory ran out. */
TG_MUST_USE bool tg_param_set(const struct tg_evaluation *evaluation, X509_STORE_CTX *context);

#endif
