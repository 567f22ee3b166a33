/* input.h - the whole of a file that a user names; it may be a pipe, and is bounded. */
#ifndef TG_INPUT_H
#define TG_INPUT_H

#include "text.h"

/*
 * Reads the whole of PATH, which may be a pipe, up to LARGEST bytes. 0, or an errno value (EFBIG:
 * there are more).
 */
int tg_input_read(const char *path, size_t largest, struct tg_buf *data);

#endif
