/* inner.h - a TLS library inside the executable, or inside a library that it links, beside those
 * that are reached. */
#ifndef TG_INNER_H
#define TG_INNER_H

#include "library.h"

struct tg_inner {
    const struct tg_library *in; /* of the list, where the executable stands first; NULL: none */
    char name[64];               /* "BoringSSL" */
    bool nearer; /* to the program than any library that is reached, or there is none of these */
};

/* Finds in LIST the nearest that texts prove, and that exports nothing; in the executable only if
 * EXECUTABLE: else the one in it is known. */
void tg_inner_find(const struct tg_libraries *list, bool executable, struct tg_inner *found);

#endif
