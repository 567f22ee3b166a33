#include "backend.h"

static const struct tg_backend *const backends[] = {
#define ROW(kind, name) &tg_backend_##name,
    TG_KINDS(ROW)
#undef ROW
};

const struct tg_backend *tg_backend_of(void *object, const void *identity)
{
    for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
        if (backends[i]->recognise(object, identity))
            return backends[i];
    return NULL;
}
