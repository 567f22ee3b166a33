/*
 * save.h - files written whole or not at all: all of a set are written beside their places, so that
 * a full disk is met before anything is replaced; then each is put in its place by rename(2).
 */
#ifndef TG_SAVE_H
#define TG_SAVE_H

#include "text.h"
#include "trustgraft.h"
#include <limits.h>
#include <sys/stat.h>

/* Why a set isn't written whose file was changed since it was read. */
#define TG_SAVE_CHANGED "was changed by someone else meanwhile: nothing is written, try again"

/* One file of a set; what isn't named is zero. */
struct tg_save {
    const char *path;
    const struct tg_buf *text;
    mode_t mode;  /* of the new file, exactly; without `like` */
    bool replace; /* what is at PATH gives way; else it is an error that something is there */
    const struct stat *like; /* PATH has to be this file still, whose owner and mode stay */
    char temporary[PATH_MAX + 16];
};

/*
 * Writes the COUNT files. False with a sentence in WHY, which names the file if NAMED: then no file
 * that was there is half written, nothing is left beside them, and unless it was rename(2) itself
 * that failed none is new. Signals that would end the command wait until it is done; a limit on
 * the size of files is an error like that of a full disk.
 */
TG_MUST_USE bool tg_save_all(struct tg_save *saves, size_t count, bool named, struct tg_buf *why);

/* Writes TEXT, which it frees, to PATH as a whole, for everybody to read. False after a complaint.
 */
TG_MUST_USE bool tg_save_text(const char *path, struct tg_buf *text);

/* Makes the folder PATH with MODE, and those above it. False with a sentence in WHY. */
TG_MUST_USE bool tg_save_folder(const char *path, mode_t mode, struct tg_buf *why);

/*
 * What programs are to trust is believed only where nobody else can change it: false, with a
 * sentence in WHY, if another user can write a folder on the way to FOLDER, or what is in it.
 * Each may make entries in a sticky FOLDER.
 */
TG_MUST_USE bool tg_save_place_own(const char *folder, struct tg_buf *why);

/* tg_save_folder and tg_save_place_own; a link that leads to the folder has to be the user's or
 * root's too, and the folder not for everybody to write, sticky or not. */
TG_MUST_USE bool tg_save_folder_own(const char *path, mode_t mode, struct tg_buf *why);

#endif
