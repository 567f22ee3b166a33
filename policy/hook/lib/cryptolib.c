#include "cryptolib.h"
#include "once.h"
#include <pthread.h>
#include <stdatomic.h>

/* Slots are taken in order, and never given back. */
static struct slot {
    struct tg_cryptolib library;
    const void *_Atomic object; /* where that libcrypto is loaded */
    const char *missing;
    pthread_once_t once;
    atomic_bool usable, hooked;
} slots[TG_CRYPTOLIBS] = {
    {.once = PTHREAD_ONCE_INIT},
    {.once = PTHREAD_ONCE_INIT},
    {.once = PTHREAD_ONCE_INIT},
    {.once = PTHREAD_ONCE_INIT},
};

/* What a slot is to be filled with. */
struct filling {
    struct slot *slot;
    const void *address;
    const struct tg_backend *backend;
};

/* An OpenSSL 4 that exports its functions without versions, found where OpenSSL 3 was looked for:
 * what it means by the same names is not known here. */
static bool is_bound_right(void)
{
    return OpenSSL_version_num() >> 28 == 3;
}

static void fill(void *arg)
{
    const struct filling *filling = arg;
    struct slot *slot = filling->slot;
    struct tg_cryptolib *library = &slot->library;

    library->backend = filling->backend;
    library->foreign = atomic_load_explicit(&slot->object, memory_order_relaxed) !=
                       tg_object_identity((void *)X509_verify_cert);
    library->number = (size_t)(slot - slots);
    library->context_index = library->connection_index = -1;
    library->wire_index = library->verification_index = -1;
    if (!is_bound_right()) {
        slot->missing = "OpenSSL 3 for the engine";
        return;
    }
    if (!tg_libcrypto_at(filling->address, filling->backend->kind, &library->crypto,
                         &slot->missing))
        return;
    if (!library->foreign || (tg_param_probe(&library->crypto, &library->layout) &&
                              filling->backend->probe_poison(&library->crypto, &library->layout)))
        atomic_store_explicit(&slot->usable, true, memory_order_release);
    else
        slot->missing = "X509_VERIFY_PARAM that can be read";
}

static struct slot *take_slot(const void *object)
{
    for (size_t i = 0; i < TG_CRYPTOLIBS; i++) {
        const void *found = NULL;

        if (atomic_compare_exchange_strong_explicit(&slots[i].object, &found, object,
                                                    memory_order_seq_cst, memory_order_seq_cst) ||
            found == object)
            return &slots[i];
    }
    return NULL;
}

struct tg_cryptolib *tg_cryptolib_at(const void *address, const struct tg_backend *backend,
                                     const char **missing)
{
    struct slot *slot = take_slot(tg_object_identity(address));

    *missing = NULL;
    if (slot == NULL)
        return NULL;
    tg_once(&slot->once, fill, &(struct filling){slot, address, backend});
    *missing = slot->missing;
    return slot->usable ? &slot->library : NULL;
}

struct tg_cryptolib *tg_cryptolib_native(const char **missing)
{
    return tg_cryptolib_at((void *)X509_verify_cert, &tg_backend_openssl3, missing);
}

struct tg_cryptolib *tg_cryptolib_known(const void *address)
{
    const void *object = tg_object_identity(address);

    for (size_t i = 0; object != NULL && i < TG_CRYPTOLIBS; i++)
        if (atomic_load_explicit(&slots[i].object, memory_order_acquire) == object)
            return tg_cryptolib_number(i);
    return NULL;
}

struct tg_cryptolib *tg_cryptolib_number(size_t number)
{
    return atomic_load_explicit(&slots[number].usable, memory_order_acquire)
               ? &slots[number].library
               : NULL;
}

void tg_cryptolib_hook(const struct tg_cryptolib *library)
{
    atomic_store_explicit(&slots[library->number].hooked, true, memory_order_release);
}

bool tg_cryptolib_is_hooked(const struct tg_cryptolib *library)
{
    return atomic_load_explicit(&slots[library->number].hooked, memory_order_acquire);
}
