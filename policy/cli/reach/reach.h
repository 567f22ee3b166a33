/* reach.h - can trustgraft get into this program, and by which way? */
#ifndef TG_REACH_H
#define TG_REACH_H

#include "text.h"
#include "trustgraft.h"

enum tg_way { TG_WAY_PRELOAD, TG_WAY_PROVIDER };

/*
 * Judges the file PATH, a command's, or what it names as its interpreter. False if WAY can't
 * get into its process: WHY then says why, and which way would work. What can't be read is let
 * pass, with a NOTE. Whose TLS it does is another question: foreign.h.
 */
TG_MUST_USE bool tg_reach(const char *path, enum tg_way way, struct tg_buf *why,
                          struct tg_buf *note);

/* The same of the preload library where /etc/ld.so.preload names it: ld.so(8) heeds that file in a
 * process of raised privileges too. */
TG_MUST_USE bool tg_reach_everywhere(const char *path, struct tg_buf *why, struct tg_buf *note);

/* Appends whom a sentence is about: "PATH ", or "PATH is run by PROGRAM, which ". */
void tg_reach_subject(struct tg_buf *about, const char *path, const char *program);

#endif
