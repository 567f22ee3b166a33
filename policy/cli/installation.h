/* installation.h - is everything of trustgraft in place, and does it load? */
#ifndef TG_INSTALLATION_H
#define TG_INSTALLATION_H

#include "exam.h"

/*
 * Looks for our own files and really loads each, in child processes: OpenSSL passes over a
 * provider that doesn't load in silence, and the dynamic linker over a library.
 */
void tg_installation_examine(struct tg_exam *exam);

#endif
