/*
 * sources.h - where the certificates of a path come from. What a trusted source rejects for TLS
 * servers (x509(1), -addreject) no copy from another source makes good.
 */
#ifndef TG_SOURCES_H
#define TG_SOURCES_H

#include "evaluation.h"
#include "holding.h"

/* Everything is borrowed but SYSTEM, everything may be NULL. */
struct tg_sources {
    const struct tg_holding *anchors; /* any certificate here ends a path */
    X509_STORE_CTX *system;           /* so does any that this finds; owned */
    X509_STORE_CTX *app;              /* here a certificate ends a path if it is self-signed, or */
    bool app_partial;                 /* any does: X509_V_FLAG_PARTIAL_CHAIN */
    const STACK_OF(X509) *sent;
    const struct tg_holding *intermediates;
    X509_STORE *beside; /* of the application: it may have decoded what the policy holds */
    time_t when;        /* candidates valid at this time come first */
};

/* Those of EVALUATION, until they are closed. False only when memory ran out. */
TG_MUST_USE bool tg_sources_open(struct tg_sources *sources,
                                 const struct tg_evaluation *evaluation);
void tg_sources_close(struct tg_sources *sources);

/* The certificates of STORE (may be NULL) with this subject; free with sk_X509_pop_free. */
TG_MUST_USE STACK_OF(X509) *tg_sources_find(X509_STORE_CTX *store, const X509_NAME *subject);

/* The same of those that HELD, of FROM, has. What can't be had without memory is noted (missed.h),
 * which voids the evaluation. */
TG_MUST_USE STACK_OF(X509) *tg_sources_held(const struct tg_sources *from,
                                            const struct tg_holding *held,
                                            const X509_NAME *subject);

/* True if both are certificates of one name and key. */
bool tg_sources_same_holder(const X509 *one, const X509 *other);

/* True if an anchor source rejects CERTIFICATE. */
bool tg_sources_reject(const struct tg_sources *sources, const X509 *certificate);

/* True if LEAF is an anchor itself, and isn't rejected. */
bool tg_sources_anchor(const struct tg_sources *sources, X509 *leaf);

/*
 * True if a certificate is there that has the name of END's issuer, and isn't taken for it because
 * END's authority key identifier asks for another (RFC 5280 section 4.2.1.1): for another key,
 * where *KEY is true, or another issuer and serial number.
 */
bool tg_sources_misfit(const struct tg_sources *sources, X509 *end, bool *key);

#endif
