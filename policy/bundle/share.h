/*
 * share.h - bundles that are read once in a process, for all who name the file: as long as it is
 * the same file (device, inode, size and both times), and anyone has it. The last one stays.
 * Safe in threads and across a fork; preserves errno.
 */
#ifndef TG_SHARE_H
#define TG_SHARE_H

#include "bundle.h"
#include <sys/stat.h>

/*
 * The bundle in the file PATH; NULL if that can't be read, is no regular file, changed meanwhile,
 * or isn't what tg_bundle_read takes. To be given back by tg_share_give.
 */
TG_MUST_USE const struct tg_bundle *tg_share_take(const char *path);

/* The same of a file that is read already, which was of STATUS when that began: TEXT is all of it,
 * SIZE bytes. */
TG_MUST_USE const struct tg_bundle *tg_share_read(const struct stat *status, const char *text,
                                                  size_t size);

/* One more of it, which never fails. */
void tg_share_again(const struct tg_bundle *bundle);

/* BUNDLE may be NULL. */
void tg_share_give(const struct tg_bundle *bundle);

#endif
