/* settle.h - whether what was read for an image holds still, and who may read the image. */
#ifndef TG_SETTLE_H
#define TG_SETTLE_H

#include "imagefile.h"

/* How often an image is written whose sources change meanwhile. */
#define TG_SETTLE_TRIES 4

/* Waits until a change of the file PATH after now would show in its times. */
void tg_settle_wait(const char *path);

enum tg_settle { TG_SETTLED, TG_SETTLE_AGAIN };

/*
 * Whether the sources on WATCH are what was read since OUT was begun: if they aren't, or it can't
 * be told yet, waits until it can, and the image is to be written once more.
 */
TG_MUST_USE enum tg_settle tg_settle(const struct tg_imagefile *out, const struct tg_watch *watch);

/* The mode and group of an image that nobody may read who mayn't read all of WATCH. */
mode_t tg_settle_mode(const struct tg_watch *watch, gid_t *group);

#endif
