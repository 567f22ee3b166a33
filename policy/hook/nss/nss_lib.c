#include "nss_lib.h"
#include "libs.h"
#include <dlfcn.h>
#include <string.h>

/* An NSS is no kind of libssl; for its tables of functions one bit will do. */
enum { HERE = 1 };

#define ROW(result, name, parameters) {HERE, #name, offsetof(struct tg_nss, name)},
static const struct tg_function own[] = {TG_NSS_INTERPOSED(ROW) TG_NSS_CALLED(ROW)};
static const struct tg_function below[] = {TG_NSS_BY_HAND(ROW) TG_NSS_CALLED_BELOW(ROW)};
#undef ROW

static struct tg_nss libraries[TG_LIBS];

/* dlsym on an object looks in what it depends on, where the preload's wrappers aren't: but on the
 * main program it looks everywhere, and what that hasn't inside isn't found. */
static bool fill_below(void *object, struct tg_nss *library, const char **missing)
{
    for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
        void *symbol = dlsym(object, below[i].name);

        *missing = below[i].name;
        if (symbol == NULL)
            return false;
        memcpy((char *)library + below[i].offset, &symbol, sizeof(symbol));
    }
    *missing = NULL;
    return true;
}

static bool fill(void *object, const void *identity, unsigned slot, const char **missing)
{
    struct tg_nss *library = &libraries[slot];

    if (!tg_object_fill(object, identity, HERE, own, sizeof(own) / sizeof(own[0]), library,
                        missing))
        return false;
    if (tg_object_is_program(identity))
        return tg_object_fill(object, identity, HERE, below, sizeof(below) / sizeof(below[0]),
                              library, missing);
    return fill_below(object, library, missing);
}

const struct tg_nss *tg_nss_at(const void *address, const char **missing)
{
    static struct tg_libs libs = TG_LIBS_INIT(fill);
    int slot = tg_libs_at(&libs, address, missing);

    return slot >= 0 ? &libraries[slot] : NULL;
}
