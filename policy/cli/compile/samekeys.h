/* samekeys.h - the keys that were entered in an image more than once. */
#ifndef TG_SAMEKEYS_H
#define TG_SAMEKEYS_H

#include "imagefile.h"

/* Calls SEEN for each key of OUT, closed, that was entered more than once, with its COUNT values in
 * order. */
typedef void tg_samekeys_seen(void *arg, const struct tg_image_record *key, const uint64_t *values,
                              size_t count);
void tg_samekeys_each(struct tg_imagefile *out, tg_samekeys_seen *seen, void *arg);

#endif
