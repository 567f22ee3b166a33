#include "library.h"
#include <pthread.h>

/* Slots are taken in order, and never given back. */
static struct slot {
    struct tg_library library;
    const void *object; /* where that libcrypto is loaded */
    const char *missing;
    pthread_once_t once;
    bool usable;
} slots[TG_LIBRARIES] = {
    {.once = PTHREAD_ONCE_INIT},
    {.once = PTHREAD_ONCE_INIT},
    {.once = PTHREAD_ONCE_INIT},
    {.once = PTHREAD_ONCE_INIT},
};

/* What fill is to work on: pthread_once, which a fork can't leave locked, passes nothing. */
static _Thread_local struct {
    struct slot *slot;
    const void *address;
    const struct tg_backend *backend;
} task;

static void fill(void)
{
    struct slot *slot = task.slot;
    struct tg_library *library = &slot->library;

    library->backend = task.backend;
    library->foreign = __atomic_load_n(&slot->object, __ATOMIC_RELAXED) !=
                       tg_object_base((void *)X509_verify_cert);
    library->number = (size_t)(slot - slots);
    library->context_index = library->connection_index = -1;
    library->wire_index = library->verification_index = -1;
    if (!tg_libcrypto_at(task.address, task.backend->kind, &library->crypto, &slot->missing))
        return;
    if (!library->foreign || (tg_param_probe(&library->crypto, &library->layout) &&
                              task.backend->probe_poison(&library->crypto, &library->layout)))
        __atomic_store_n(&slot->usable, true, __ATOMIC_RELEASE);
    else
        slot->missing = "X509_VERIFY_PARAM that can be read";
}

static struct slot *take_slot(const void *object)
{
    for (size_t i = 0; i < TG_LIBRARIES; i++) {
        const void *found = NULL;

        if (__atomic_compare_exchange_n(&slots[i].object, &found, object, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST) ||
            found == object)
            return &slots[i];
    }
    return NULL;
}

struct tg_library *tg_library_at(const void *address, const struct tg_backend *backend,
                                 const char **missing)
{
    struct slot *slot = take_slot(tg_object_base(address));

    *missing = NULL;
    if (slot == NULL)
        return NULL;
    task.slot = slot;
    task.address = address;
    task.backend = backend;
    pthread_once(&slot->once, fill);
    *missing = slot->missing;
    return slot->usable ? &slot->library : NULL;
}

struct tg_library *tg_library_native(const char **missing)
{
    return tg_library_at((void *)X509_verify_cert, &tg_backend_openssl3, missing);
}

struct tg_library *tg_library_number(size_t number)
{
    return __atomic_load_n(&slots[number].usable, __ATOMIC_ACQUIRE) ? &slots[number].library : NULL;
}
