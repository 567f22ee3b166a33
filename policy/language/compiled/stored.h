/* stored.h - what a file of certificates, CRLs or a key held, out of a policy's image. */
#ifndef TG_STORED_H
#define TG_STORED_H

#include "image.h"
#include "material.h"

struct tg_stored {
    struct tg_material material;
    struct tg_loaded certificates;
};

/*
 * What stands at OFFSET, as tg_material_get has it for TAG; tg_stored_free it. NULL: that isn't
 * what was written, or memory ran out. In an image: the digest, a number, and so many times a
 * length and the DER of that length.
 */
TG_MUST_USE struct tg_stored *tg_stored_read(struct tg_image_reader *reader, uint64_t offset,
                                             enum tg_load_tag tag);
void tg_stored_free(struct tg_stored *stored); /* NULL is fine */

#endif
