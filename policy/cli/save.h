/*
 * save.h - files written whole or not at all: all of a set are prepared beside their places, so
 * that a full disk is met before anything is replaced; then each is put in its place by rename(2).
 */
#ifndef TG_SAVE_H
#define TG_SAVE_H

#include "mem.h"
#include <limits.h>
#include <sys/types.h>

/* Zero-initialise; abandon after any outcome. */
struct tg_save {
    char path[PATH_MAX], temporary[PATH_MAX];
    bool prepared;
};

/* Writes SIZE bytes at DATA for PATH, with MODE, to the disk. False with a sentence in WHY. */
bool tg_save_prepare(struct tg_save *save, const char *path, mode_t mode, const void *data,
                     size_t size, struct tg_buf *why);

/* Puts it in its place; where REPLACE is false only if nothing is there. False as above. */
bool tg_save_commit(struct tg_save *save, bool replace, struct tg_buf *why);

/* Removes what was prepared and not put in its place. */
void tg_save_abandon(struct tg_save *save);

/* Makes the folder PATH with MODE, and those above it. False with a sentence in WHY. */
bool tg_save_folder(const char *path, mode_t mode, struct tg_buf *why);

#endif
