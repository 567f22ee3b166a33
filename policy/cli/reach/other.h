/* other.h - what a program does TLS with that nothing reaches. */
#ifndef TG_OTHER_H
#define TG_OTHER_H

#include "text.h"
#include <stdbool.h>

/* Appends to WHAT what the executable PROGRAM has: "links Mbed TLS: that library's TLS connections
 * are". False: nothing, or beside what is reached, and no nearer to it. */
bool tg_other_find(const char *program, struct tg_buf *what);

#endif
