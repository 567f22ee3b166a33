/*
 * crlorder.h - which of a CA's lists is the last word. libcrypto takes one that is in date before
 * one that isn't, and so a good one before a newer one that revokes.
 */
#ifndef TG_CRLORDER_H
#define TG_CRLORDER_H

#include "hash.h"

/* One certificate, the key of its lists' issuer, and the list that was taken. */
struct tg_crl_order {
    X509 *certificate;
    EVP_PKEY *key;
    X509_CRL *taken;
};

/*
 * The newest complete list of LISTS, by its number or else its date, with the scope of the one
 * taken, that isn't older and is genuine; of two that are as old, one that revokes. NULL: the one
 * taken. *UNSURE: without memory or for a malformed signature, a list that revokes can't be
 * checked.
 */
TG_MUST_USE X509_CRL *tg_crl_newest(const struct tg_crl_order *order,
                                    const STACK_OF(X509_CRL) *lists, bool *unsure);

/* True if LIST names CERTIFICATE as revoked. */
TG_MUST_USE bool tg_crl_revokes(X509_CRL *list, X509 *certificate);

#endif
