#include "gnutls_lib.h"
#include "libs.h"

/* A libgnutls is no kind of libssl; for its table of functions one bit will do. */
enum { HERE = 1 };

static const struct tg_function functions[] = {
#define ROW(result, name, parameters) {HERE, #name, offsetof(struct tg_gnutls, name)},
    TG_GNUTLS_INTERPOSED(ROW) TG_GNUTLS_CALLED(ROW)
#undef ROW
#define ROW(result, name, parameters)                                                              \
    {HERE | TG_KIND_OPTIONAL, #name, offsetof(struct tg_gnutls, name)},
        TG_GNUTLS_INTERPOSED_LATER(ROW) TG_GNUTLS_CALLED_LATER(ROW)
#undef ROW
};

static struct tg_gnutls libraries[TG_LIBS];

static bool fill(void *object, const void *identity, unsigned slot, const char **missing)
{
    return tg_object_fill(object, identity, HERE, functions,
                          sizeof(functions) / sizeof(functions[0]), &libraries[slot], missing);
}

const struct tg_gnutls *tg_gnutls_at(const void *address, const char **missing)
{
    static struct tg_libs libs = TG_LIBS_INIT(fill);
    int slot = tg_libs_at(&libs, address, missing);

    return slot >= 0 ? &libraries[slot] : NULL;
}
