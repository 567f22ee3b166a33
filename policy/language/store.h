/* store.h - the values of a setting into what they set. */
#ifndef TG_STORE_H
#define TG_STORE_H

#include "loading.h"

/* One setting on its way. */
struct tg_store {
    struct tg_load *load;
    struct tg_section *section;
    const struct tg_setting *setting;
    void *object; /* the tg_policy, tg_rule or tg_exception of the section */
    void *field;  /* what the key sets in it; NULL where its values are only checked */
};

/* Checks SETTING's values and stores them in OBJECT, or complains of each that is wrong. */
void tg_store_setting(struct tg_load *load, struct tg_section *section,
                      const struct tg_setting *setting, void *object);

/* material.c: the types whose values are certificates, keys and digests of them. */
void tg_store_anchors(struct tg_store *in);
void tg_store_certificates(struct tg_store *in);
void tg_store_leaves(struct tg_store *in);
void tg_store_pins(struct tg_store *in);
void tg_store_crls(struct tg_store *in);
void tg_store_known(struct tg_store *in);
void tg_store_fingerprint(struct tg_store *in);

/* Copies DIGESTS, 32 bytes each, to the policy's arena as *OUT and empties it. */
void tg_store_digests(struct tg_load *load, struct tg_buf *digests, struct tg_digests *out);

#endif
