#include "libcrypto.h"
#include <dlfcn.h>

static const struct tg_function functions[] = {
#define ROW(kinds, result, name, parameters) {kinds, #name, offsetof(struct tg_libcrypto, name)},
    TG_LIBCRYPTO_FUNCTIONS(ROW)
#undef ROW
};

const struct tg_libcrypto *tg_libcrypto_inside;

bool tg_libcrypto_at(const void *address, enum tg_kind kind, struct tg_libcrypto *libcrypto,
                     const char **missing)
{
    void *object = NULL;
    bool found = false;

    *missing = NULL;
    if (tg_libcrypto_inside != NULL &&
        tg_object_identity(address) == tg_object_identity(&tg_libcrypto_inside)) {
        *libcrypto = *tg_libcrypto_inside;
        return true;
    }
    object = tg_object_open(address);
    if (object == NULL)
        return false;
    found = tg_object_fill(object, tg_object_identity(address), kind, functions,
                           sizeof(functions) / sizeof(functions[0]), libcrypto, missing);
    dlclose(object);
    return found;
}

const char *tg_libcrypto_lacks(tg_has_function *has, const void *from, enum tg_kind kind)
{
    return tg_object_lacks(has, from, (int)kind, functions,
                           sizeof(functions) / sizeof(functions[0]));
}
