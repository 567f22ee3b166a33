#include "verbs.h"
#include <string.h>

#define ENTRY(name) &tg_verb_##name,
static const struct tg_verb *const verbs[] = {TG_VERBS(ENTRY)};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

const struct tg_verb *tg_verb_at(size_t index)
{
    return index < VERBS ? verbs[index] : NULL;
}

const struct tg_verb *tg_verb_find(const char *name)
{
    for (size_t i = 0; i < VERBS; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}
