#include "libcrypto.h"
#include <dlfcn.h>

static const struct tg_function functions[] = {
#define ROW(kinds, result, name, parameters) {kinds, #name, offsetof(struct tg_libcrypto, name)},
    TG_LIBCRYPTO_FUNCTIONS(ROW)
#undef ROW
};

bool tg_libcrypto_at(const void *address, enum tg_kind kind, struct tg_libcrypto *libcrypto,
                     const char **missing)
{
    void *object = tg_object_open(address);
    bool found = false;

    *missing = NULL;
    if (object == NULL)
        return false;
    found = tg_object_fill(object, tg_object_identity(address), kind, functions,
                           sizeof(functions) / sizeof(functions[0]), libcrypto, missing);
    dlclose(object);
    return found;
}
