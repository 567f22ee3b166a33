#include "libs.h"
#include "once.h"
#include <dlfcn.h>
#include <stdatomic.h>

struct filling {
    struct tg_libs *libs;
    unsigned slot;
    const void *address;
};

static void fill(void *arg)
{
    const struct filling *filling = arg;
    struct tg_lib_slot *slot = &filling->libs->slots[filling->slot];
    void *object = tg_object_open(filling->address);

    slot->missing = "place in the linker's list";
    if (object == NULL)
        return;
    slot->usable = filling->libs->fill(object, tg_object_identity(filling->address), filling->slot,
                                       &slot->missing);
    dlclose(object);
}

static int take_slot(struct tg_libs *libs, const void *object)
{
    for (int i = 0; i < TG_LIBS; i++) {
        const void *found = NULL;

        if (atomic_compare_exchange_strong_explicit(&libs->slots[i].object, &found, object,
                                                    memory_order_seq_cst, memory_order_seq_cst) ||
            found == object)
            return i;
    }
    return -1;
}

int tg_libs_at(struct tg_libs *libs, const void *address, const char **missing)
{
    const void *object = tg_object_identity(address);
    int slot = object != NULL ? take_slot(libs, object) : -1;

    *missing = NULL;
    if (slot < 0)
        return -1;
    tg_once(&libs->slots[slot].once, fill, &(struct filling){libs, (unsigned)slot, address});
    *missing = libs->slots[slot].missing;
    return libs->slots[slot].usable ? slot : -1;
}
