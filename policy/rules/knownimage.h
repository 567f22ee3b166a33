/* knownimage.h - the image of a known-hosts file (image.h): lines are read when they are asked for.
 */
#ifndef TG_KNOWNIMAGE_H
#define TG_KNOWNIMAGE_H

#include "knownentry.h"
#include "text.h"

struct tg_knownimage;

/* That of PATH, absolute. NULL if there is none that counts; why not, if there is one, is added to
 * NOTE. */
TG_MUST_USE struct tg_knownimage *tg_knownimage_open(const char *path, struct tg_buf *note);
void tg_knownimage_free(struct tg_knownimage *known); /* NULL is fine */

/* As tg_known_find; one of its own where that can't be told. */
const struct tg_known_entry *tg_knownimage_find(struct tg_knownimage *known, const char *host,
                                                unsigned port);
TG_MUST_USE bool tg_knownimage_damaged(const struct tg_known_entry *entry);

#endif
