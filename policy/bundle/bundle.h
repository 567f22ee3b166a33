/*
 * bundle.h - the certificates of a file, as bytes, and by subject: what is known of them without
 * decoding a single one. It never changes; safe in threads.
 */
#ifndef TG_BUNDLE_H
#define TG_BUNDLE_H

#include "fold.h"

struct tg_bundle;

/* One certificate of it, as it is encoded; borrowed. */
struct tg_bundled {
    uint64_t subject; /* tg_fold_name */
    const uint8_t *der;
    size_t size;
    size_t certificate; /* in bytes, of SIZE: without the settings */
    bool trusted;       /* it may have settings behind it: d2i_X509_AUX(3) */
};

/* What DER of SIZE bytes is, of a bundle or by itself; false where it isn't well-formed
 * (certificate.h), or has behind it what isn't settings of a TRUSTED one. */
TG_MUST_USE bool tg_bundled_read(const uint8_t *der, size_t size, bool trusted,
                                 struct tg_bundled *bundled);

/*
 * Of TEXT, which is in PEM. NULL if there is no certificate, one of them isn't well-formed
 * (certificate.h), anything isn't ordinary (armour.h), or memory ran out. Free it with
 * tg_bundle_free.
 */
TG_MUST_USE struct tg_bundle *tg_bundle_read(const char *text, size_t size);

/* The same of TEXT that came from malloc(3): it is the bundle's, or freed. */
TG_MUST_USE struct tg_bundle *tg_bundle_take(char *text, size_t size);
void tg_bundle_free(struct tg_bundle *bundle);

size_t tg_bundle_count(const struct tg_bundle *bundle);

/* True if they hold the same certificates in the same order. */
TG_MUST_USE bool tg_bundle_is_same(const struct tg_bundle *one, const struct tg_bundle *other);

/* The certificate of this INDEX, below tg_bundle_count, in the order of the file. */
struct tg_bundled tg_bundle_get(const struct tg_bundle *bundle, size_t index);

#endif
