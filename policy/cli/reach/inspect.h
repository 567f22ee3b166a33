/* inspect.h - the examination of a program: which TLS is in it, and what gets into it. */
#ifndef TG_INSPECT_H
#define TG_INSPECT_H

#include "health.h"

/* Examines the file PATH, a command's; runs nothing of it. */
void tg_inspect_program(struct tg_health *health, const char *path);

#endif
