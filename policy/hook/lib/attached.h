/*
 * attached.h - bundles (bundle.h) that a program's X509_STORE was loaded from, and whose
 * certificates aren't in it yet. They are brought in, by their libcrypto and in the order of their
 * file, when their subject is asked for through the store's own hooks; whatever else looks into the
 * store has them all brought in first. So what is found there is what would have been there.
 *
 * Who can't be told where a certificate couldn't be brought in finds nothing, and no certificate
 * that stood behind it. All are safe in threads and across a fork, and preserve errno.
 */
#ifndef TG_ATTACHED_H
#define TG_ATTACHED_H

#include "storelib.h"

/* From now on what stores of LIBRARY are made can have bundles. */
void tg_attached_begin(struct tg_cryptolib *library);

/*
 * Attaches what FILE has to STORE, as if X509_load_cert_crl_file(3) had read it: how many
 * certificates. 0: nothing was done, as FILE or STORE aren't ordinary.
 */
TG_MUST_USE size_t tg_attached_load(const struct tg_storelib *lib, X509_STORE *store,
                                    const char *file);

/* Brings in everything, or what has the subject NAME. False: something is missing. */
TG_MUST_USE bool tg_attached_bring(const struct tg_storelib *lib, X509_STORE *store);
TG_MUST_USE bool tg_attached_bring_name(const struct tg_storelib *lib, X509_STORE *store,
                                        const X509_NAME *name);

/* Brings in everything, and leaves STORE alone from then on. */
TG_MUST_USE bool tg_attached_end(const struct tg_storelib *lib, X509_STORE *store);

/* STORE is about to be used in a context that doesn't ask its hooks: nothing is attached to it
 * any more, where nothing is as yet. */
void tg_attached_use(const struct tg_storelib *lib, X509_STORE *store);

/* X509_STORE_add_cert(3) */
TG_MUST_USE int tg_attached_add(const struct tg_storelib *lib, X509_STORE *store,
                                X509 *certificate);

/* LOOKUP was got for STORE's files, as by X509_LOOKUP_file(3). */
void tg_attached_note_files(const struct tg_storelib *lib, X509_STORE *store, X509_LOOKUP *lookup);
TG_MUST_USE bool tg_attached_is_files(const struct tg_storelib *lib, const X509_LOOKUP *lookup);

/* What a program finds in the place of the hooks here. */
X509_STORE_CTX_get_issuer_fn tg_attached_get_issuer_shown(const struct tg_storelib *lib,
                                                          X509_STORE_CTX_get_issuer_fn found);
X509_STORE_CTX_lookup_certs_fn tg_attached_lookup_certs_shown(const struct tg_storelib *lib,
                                                              X509_STORE_CTX_lookup_certs_fn found);

#endif
