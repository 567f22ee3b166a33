/* material.h - the files of certificates and keys that a policy names: each is read once. */
#ifndef TG_MATERIAL_H
#define TG_MATERIAL_H

#include "storing.h"

/* What became of a file that was read for its certificates or, under another tag, its key. */
struct tg_material {
    struct tg_item item;
    struct tg_material *next; /* of tg_load.materials */
    const char *wrong;        /* NULL: nothing */
    struct tg_loaded *certificates;
    STACK_OF(X509_CRL) *crls;
    EVP_PKEY *key; /* TG_TAG_KEY: the policy's, or NULL */
    uint8_t spki[TG_SHA256_SIZE];
};

/* An empty holding on the list of LOAD, which frees it unless it is kept. NULL: no memory, noted.
 */
TG_MUST_USE struct tg_loaded *tg_material_new_holding(struct tg_load *load);

/*
 * The file that WORD names, read for what TAG says: TG_TAG_CERTIFICATES, or TG_TAG_SPKI and
 * TG_TAG_KEY for its digest by tg_file_spki and tg_file_key. NULL after a complaint.
 */
TG_MUST_USE const struct tg_material *
tg_material_get(struct tg_store *in, const struct tg_word *word, enum tg_load_tag tag);

/* What PATH, LOAD's, is known to hold for TAG; NULL: nothing yet. */
TG_MUST_USE struct tg_material *tg_material_find(struct tg_load *load, enum tg_load_tag tag,
                                                 const char *path);

/* Room for it, entered; LOAD is a load that keeps what files held. NULL: no memory, noted. */
TG_MUST_USE struct tg_material *tg_material_new(struct tg_load *load, enum tg_load_tag tag,
                                                const char *path);

/* Has the policy know what KEY (may be NULL) signed, a key that it distrusts. */
void tg_material_distrust(struct tg_load *load, EVP_PKEY *key);

#endif
