/* hidden.h - an OpenSSL that is linked into an executable and not exported, as the preload library
 * would find it there. */
#ifndef TG_HIDDEN_H
#define TG_HIDDEN_H

#include "executable.h"

enum tg_hidden_state {
    TG_HIDDEN_NONE,   /* it has none, or exports it */
    TG_HIDDEN_TAKEN,  /* the hook gets into it */
    TG_HIDDEN_LACKS,  /* functions for that: under a policy there is no TLS in it */
    TG_HIDDEN_REFUSED /* if there is one, it isn't taken */
};

struct tg_hidden {
    enum tg_hidden_state state;
    bool three;      /* an OpenSSL 3 or later, which loads providers; else 1.1.1 */
    char lacks[64];  /* one of the functions */
    const char *why; /* of a refusal: "its .symtab is stripped" */
};

/* An OpenSSL 3 or 1.1.1 is in FILE, which exports all of it that the hook needs. */
bool tg_hidden_exports_all(const struct tg_executable *file);

void tg_hidden_look(const struct tg_executable *file, struct tg_hidden *found);

/* Why the library EMBEDDED (embedded.h) that the file seems to have isn't taken: "", or a reason
 * in brackets, in OUT. */
const char *tg_hidden_why(const struct tg_hidden *found, const char *embedded, char *out,
                          size_t size);

#endif
