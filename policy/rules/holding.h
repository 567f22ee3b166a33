/*
 * holding.h - the certificates that a setting of a policy names, in its order. What is known to be
 * one by its bytes alone (bundle.h) is decoded when it is first asked for, and then stays. A
 * holding is filled by one thread; after that any may ask.
 */
#ifndef TG_HOLDING_H
#define TG_HOLDING_H

#include "file.h"
#include "trustgraft.h"
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

struct tg_holding;

TG_MUST_USE struct tg_holding *tg_holding_new(void);              /* NULL: no memory */
void tg_holding_free(struct tg_holding *holding);                 /* NULL is fine */
TG_API size_t tg_holding_count(const struct tg_holding *holding); /* of NULL: 0 */

/* All that follow return false without memory, and nothing was added then. */

/* One more reference to CERTIFICATE. */
TG_MUST_USE bool tg_holding_add(struct tg_holding *holding, X509 *certificate);
/* DER of SIZE bytes, with or without settings (x509(1)) behind it; false also where it is no
 * certificate. */
TG_MUST_USE bool tg_holding_add_der(struct tg_holding *holding, const uint8_t *der, size_t size);
/* The certificates of FILE, which BLOCKS PEM blocks begin in; false also where it isn't ordinary
 * (armour.h), or has others than those. A program that loads the same file shares in it (share.h).
 */
TG_MUST_USE bool tg_holding_add_file(struct tg_holding *holding, const struct tg_file *file,
                                     size_t blocks);
/* Those of OTHER, which both have from now on, decoded once. */
TG_MUST_USE bool tg_holding_join(struct tg_holding *holding, const struct tg_holding *other);

/* Takes out each certificate that is in there before, whatever settings stand behind it; the others
 * keep their order. False without memory: then nothing was taken. */
TG_MUST_USE bool tg_holding_unique(struct tg_holding *holding);

/* The one of this INDEX, below tg_holding_count; the holding's. NULL: no memory. */
TG_API TG_MUST_USE X509 *tg_holding_get(const struct tg_holding *holding, size_t index);
/* How that is encoded, with its settings; borrowed. */
const uint8_t *tg_holding_der(const struct tg_holding *holding, size_t index, size_t *size);

/*
 * *FOUND becomes those with this SUBJECT, as X509_NAME_cmp(3) sees it, in order; free it with
 * sk_X509_pop_free. NULL: there is none. What BESIDE (may be NULL), a store of the program's, has
 * byte by byte isn't decoded again, but is the store's X509. False: one can't be had without
 * memory, and *FOUND is NULL; that isn't to be taken for "there is none".
 */
TG_API TG_MUST_USE bool tg_holding_find(const struct tg_holding *holding, const X509_NAME *subject,
                                        X509_STORE *beside, STACK_OF(X509) **found);

#endif
