/*
 * supply.h - the bundles of one X509_STORE, and which of their certificates are in it already; and
 * how the others come in, so that the store's objects stand as they would have stood. One thread at
 * a time.
 */
#ifndef TG_SUPPLY_H
#define TG_SUPPLY_H

#include "bundle.h"
#include "storelib.h"
#include <stdatomic.h>

struct tg_supplied;

/* What came into the store since its own search sorted it last: all of a bundle, or, where that is
 * NULL, a certificate of the program's, which the store has. */
struct tg_supply_since {
    const struct tg_supplied *bundle;
    const X509 *added;
};

/* Initialise END with &first, the rest with zeros. */
struct tg_supply {
    struct tg_supplied *first, **end;
    atomic_size_t pending;         /* how many certificates aren't in the store */
    bool mixed;                    /* what is in it came in another order than in its files */
    struct tg_supply_since *since; /* in its order */
    size_t since_count;
};

/* One more bundle (share.h) for STORE, which is taken over; false: no memory. */
TG_MUST_USE bool tg_supply_append(struct tg_supply *supply, const struct tg_storelib *lib,
                                  X509_STORE *store, const struct tg_bundle *bundle);
void tg_supply_free(struct tg_supply *supply);

/*
 * Brings into STORE all that isn't there, or of that what has the subject NAME. False: a
 * certificate can't be had; what has its subject and stands behind it isn't brought in either.
 */
TG_MUST_USE bool tg_supply_all(struct tg_supply *supply, const struct tg_storelib *lib,
                               X509_STORE *store);
TG_MUST_USE bool tg_supply_name(struct tg_supply *supply, const struct tg_storelib *lib,
                                X509_STORE *store, const X509_NAME *name);

/* STORE's own search is about to sort what is in it. */
void tg_supply_searched(struct tg_supply *supply);

/* CERTIFICATE, of the program's own, is the next to be added: as X509_STORE_add_cert(3). */
TG_MUST_USE int tg_supply_add(struct tg_supply *supply, const struct tg_storelib *lib,
                              X509_STORE *store, X509 *certificate);

#endif
