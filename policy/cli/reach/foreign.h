/* foreign.h - is the TLS of a program another library's, which nothing of ours gets into? */
#ifndef TG_FOREIGN_H
#define TG_FOREIGN_H

#include "reach.h"
#include "text.h"
#include "trustgraft.h"

/*
 * Judges the file PATH, a command's, as started with WORDS (the last NULL; WORDS may be NULL), by
 * WAY. True if its TLS, or that of a helper or of the command that it starts, as env(1) and
 * `sh -c` do, is out of reach where trustgraft gets into the process itself: WHY gets a sentence.
 * A program that links OpenSSL as well counts as reached. Runs nothing; what can't be read is let
 * pass.
 */
TG_MUST_USE bool tg_foreign_tls(const char *path, char *const *words, enum tg_way way,
                                struct tg_buf *why);

#endif
