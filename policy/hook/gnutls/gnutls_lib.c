#include "gnutls_lib.h"
#include "object.h"
#include "once.h"
#include <dlfcn.h>
#include <stdatomic.h>

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

/* Slots are taken in order, and never given back. */
static struct slot {
    struct tg_gnutls library;
    const void *_Atomic object; /* where that libgnutls is loaded */
    const char *missing;
    pthread_once_t once;
    bool usable;
} slots[TG_GNUTLS_LIBS] = {
    {.once = PTHREAD_ONCE_INIT},
    {.once = PTHREAD_ONCE_INIT},
    {.once = PTHREAD_ONCE_INIT},
    {.once = PTHREAD_ONCE_INIT},
};

struct filling {
    struct slot *slot;
    const void *address;
};

static void fill(void *arg)
{
    const struct filling *filling = arg;
    struct slot *slot = filling->slot;
    void *object = tg_object_open(filling->address);

    slot->missing = "place in the linker's list";
    if (object == NULL)
        return;
    slot->usable =
        tg_object_fill(object, tg_object_identity(filling->address), HERE, functions,
                       sizeof(functions) / sizeof(functions[0]), &slot->library, &slot->missing);
    dlclose(object);
}

static struct slot *take_slot(const void *object)
{
    for (size_t i = 0; i < TG_GNUTLS_LIBS; i++) {
        const void *found = NULL;

        if (atomic_compare_exchange_strong_explicit(&slots[i].object, &found, object,
                                                    memory_order_seq_cst, memory_order_seq_cst) ||
            found == object)
            return &slots[i];
    }
    return NULL;
}

const struct tg_gnutls *tg_gnutls_at(const void *address, const char **missing)
{
    const void *object = tg_object_identity(address);
    struct slot *slot = object != NULL ? take_slot(object) : NULL;

    *missing = NULL;
    if (slot == NULL)
        return NULL;
    tg_once(&slot->once, fill, &(struct filling){slot, address});
    *missing = slot->missing;
    return slot->usable ? &slot->library : NULL;
}
