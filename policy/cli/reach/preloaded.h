/* preloaded.h - /etc/ld.so.preload, by which ld.so(8) loads libraries into every program. */
#ifndef TG_PRELOADED_H
#define TG_PRELOADED_H

#include "health.h"
#include "trustgraft.h"
#include <stdbool.h>
#include <stddef.h>

#define TG_PRELOADED_FILE "/etc/ld.so.preload"

/* A word of the file: a path, or a name that is searched for. */
struct tg_preloaded {
    const char *word;
    size_t length;
};

/* The next word of the text at *AT, which moves behind it. False: there is none. */
TG_MUST_USE bool tg_preloaded_next(const char **at, struct tg_preloaded *out);

/* True if it is called as our library is, wherever it lies. */
bool tg_preloaded_is_ours(const struct tg_preloaded *word);

/* True if what ld.so said in TEXT is that it can't preload LIBRARY. */
bool tg_preloaded_complains(const char *text, const char *library);

/* True if the file names the library beside this command. */
TG_MUST_USE bool tg_preloaded_is_on(void);

/* Notes what the file names of ours, and what isn't there; nothing where there is no file. */
void tg_preloaded_check(struct tg_health *health);

#endif
