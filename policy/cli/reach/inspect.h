/* inspect.h - the examination of a program: which TLS is in it, and what gets into it. */
#ifndef TG_INSPECT_H
#define TG_INSPECT_H

#include "health.h"

/* The end of an examination. */
struct tg_inspection {
    const char *tls;        /* its TLS library in a word or two, static; NULL: none is to be seen */
    bool preload, provider; /* the way reaches it */
    bool loads;             /* it loads libraries while it runs */
};

/* Examines the file PATH, a command's; runs nothing of it. FOUND (may be NULL) is set where the
 * file could be looked at. */
void tg_inspect_program(struct tg_health *health, const char *path, struct tg_inspection *found);

#endif
