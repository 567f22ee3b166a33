/* wrapped.h - the help, in lines of 80 columns. */
#ifndef TG_WRAPPED_H
#define TG_WRAPPED_H

#include <stddef.h>
#include <stdio.h>

/* Writes TEXT from column AT on; lines after the first are indented by INDENT. What is in brackets
 * stays together. */
void tg_wrapped_write(FILE *to, const char *text, size_t at, int indent);

#endif
