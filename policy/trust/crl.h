/*
 * crl.h - certificate revocation lists: the rule's, or those the application asked for. libcrypto
 * checks them (RFC 5280 section 6.3); here is which ones, at what time, and what its checks leave
 * out.
 */
#ifndef TG_CRL_H
#define TG_CRL_H

#include "evaluation.h"

/*
 * A store that makes X509_verify_cert(3) find the CRLs this evaluation asks for and check a CRL's
 * signature once in the life of the policy, not at each handshake. *STORE is NULL where no CRL is
 * asked for; free it after the context. False only when memory ran out.
 */
TG_MUST_USE bool tg_crl_store(const struct tg_evaluation *evaluation, X509_STORE **store);

/* The same whether or not CRLs are asked for. NULL without memory. */
TG_MUST_USE X509_STORE *tg_crl_store_new(const struct tg_evaluation *evaluation);

/*
 * X509_STORE_CTX_check_revocation_fn of these stores, to be called where the path's signatures are
 * checked. The app_data of CONTEXT is the struct tg_findings that its findings go to, or NULL for
 * the path of a CRL's own issuer.
 */
int tg_crl_check(X509_STORE_CTX *context);

/* The X509_V_FLAG_* that `revocation` stands for. */
unsigned long tg_crl_flags(const struct tg_rule *rule);

/*
 * True for an error that is none: no CRL is wanted for an anchor at the end of a path, which is
 * trusted because the policy says so (RFC 5280 section 6.1).
 */
bool tg_crl_excused(X509_STORE_CTX *context, int x509_error);

#endif
