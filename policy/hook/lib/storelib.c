#include "storelib.h"
#include "once.h"
#include "openssl.h"
#include <dlfcn.h>
#include <stdatomic.h>

/* From here on a certificate that is there already can be added once more. */
#define OLDEST 0x1010100fUL

static const struct tg_function functions[] = {
#define ROW(kinds, result, name, parameters) {kinds, #name, offsetof(struct tg_storelib, name)},
    TG_STORELIB_FUNCTIONS(ROW)
#undef ROW
};

static struct place {
    struct tg_storelib lib;
    pthread_once_t once;
    atomic_bool usable;
} places[TG_CRYPTOLIBS] = {
    {.once = PTHREAD_ONCE_INIT},
    {.once = PTHREAD_ONCE_INIT},
    {.once = PTHREAD_ONCE_INIT},
    {.once = PTHREAD_ONCE_INIT},
};

static int compare(const void *one, const void *other)
{
    const char *a = *(const char *const *)one, *b = *(const char *const *)other;

    return (a > b) - (a < b);
}

/* Whether looking for something in a stack sorts it. */
static bool finding_sorts(const struct tg_storelib *lib)
{
    static char values[2];
    const struct tg_libcrypto *crypto = &lib->library->crypto;
    void *stack = lib->OPENSSL_sk_new(compare);
    bool sorted = false;

    if (stack != NULL && crypto->OPENSSL_sk_push(stack, &values[1]) > 0 &&
        crypto->OPENSSL_sk_push(stack, &values[0]) > 0) {
        (void)lib->OPENSSL_sk_find(stack, &values[0]);
        sorted = lib->OPENSSL_sk_is_sorted(stack);
    }
    crypto->OPENSSL_sk_free(stack);
    return sorted;
}

static void fill(void *arg)
{
    struct tg_cryptolib *library = arg;
    struct place *place = &places[library->number];
    const void *address = (const void *)library->crypto.d2i_X509;
    void *object = tg_object_open(address);
    const void *identity = tg_object_identity(address);
    const char *missing = NULL;

    if (object == NULL)
        return;
    place->lib.library = library;
    place->usable = (library->backend->kind & TG_KIND_OPENSSL) != 0 &&
                    tg_openssl_version(object, identity) >= OLDEST &&
                    tg_object_fill(object, identity, library->backend->kind, functions,
                                   sizeof(functions) / sizeof(functions[0]), &place->lib, &missing);
    place->lib.adding_sorts = place->usable && finding_sorts(&place->lib);
    (void)dlclose(object);
}

const struct tg_storelib *tg_storelib_of(struct tg_cryptolib *library)
{
    struct place *place = &places[library->number];

    tg_once(&place->once, fill, library);
    return place->usable ? &place->lib : NULL;
}
