/* places.c - every libssl of this process under the policy. */
#include "places.h"
#include "log.h"
#include "once.h"
#include <pthread.h>
#include <stdatomic.h>

/* A place once filled stays as it is. */
#define LIBSSLS 8
#define HOMES   16

static struct place {
    struct tg_hooked hooked;
    const void *_Atomic object;       /* where that libssl is loaded; NULL: not taken yet */
    const void *_Atomic homes[HOMES]; /* of its SSL_METHODs those met so far (tg_backend.home) */
    pthread_once_t once;
    atomic_bool ready;
} places[LIBSSLS] = {
    {.once = PTHREAD_ONCE_INIT}, {.once = PTHREAD_ONCE_INIT}, {.once = PTHREAD_ONCE_INIT},
    {.once = PTHREAD_ONCE_INIT}, {.once = PTHREAD_ONCE_INIT}, {.once = PTHREAD_ONCE_INIT},
    {.once = PTHREAD_ONCE_INIT}, {.once = PTHREAD_ONCE_INIT},
};

static void complain(const char *missing)
{
    tg_log_complain(TG_ORIGIN_ENVIRONMENT,
                    "this program's libssl can't be put under a policy: %s%s",
                    missing != NULL ? "it has no " : "there are too many in this process",
                    missing != NULL ? missing : "");
}

static bool ready(const struct place *place)
{
    return atomic_load_explicit(&place->ready, memory_order_acquire);
}

static const struct tg_hooked *find(const void *object)
{
    for (size_t i = 0; i < LIBSSLS; i++)
        if (ready(&places[i]) && places[i].object == object)
            return &places[i].hooked;
    return NULL;
}

const struct tg_hooked *tg_hooked_next(const struct tg_cryptolib *library,
                                       const struct tg_hooked *last)
{
    size_t i = last != NULL ? (size_t)((const struct place *)last - places) + 1 : 0;

    while (i < LIBSSLS && !(ready(&places[i]) && places[i].hooked.library == library))
        i++;
    return i < LIBSSLS ? &places[i].hooked : NULL;
}

const struct tg_hooked *tg_hooked_known(const void *ssl_ctx_new)
{
    for (size_t i = 0; i < LIBSSLS; i++)
        if (ready(&places[i]) && (const void *)places[i].hooked.libssl.SSL_CTX_new == ssl_ctx_new)
            return &places[i].hooked;
    return NULL;
}

/* What is to be kept, and where. */
struct filling {
    struct place *place;
    const struct tg_hooked *hooked;
};

static void fill(void *arg)
{
    const struct filling *filling = arg;

    filling->place->hooked = *filling->hooked;
    atomic_store_explicit(&filling->place->ready, true, memory_order_release);
}

/* Threads that come at once with the same libssl share its place. */
static const struct tg_hooked *keep(const void *object, const struct tg_hooked *hooked)
{
    for (size_t i = 0; i < LIBSSLS; i++) {
        const void *found = NULL;

        if (!atomic_compare_exchange_strong_explicit(&places[i].object, &found, object,
                                                     memory_order_seq_cst, memory_order_seq_cst) &&
            found != object)
            continue;
        tg_once(&places[i].once, fill, &(struct filling){&places[i], hooked});
        return &places[i].hooked;
    }
    complain(NULL);
    return NULL;
}

const struct tg_hooked *tg_hooked_at(const void *address)
{
    const void *object = tg_object_identity(address), *libcrypto = NULL;
    const struct tg_hooked *known = object != NULL ? find(object) : NULL;
    const char *missing = NULL;
    struct tg_hooked hooked;
    const struct tg_backend *backend = NULL;

    if (known != NULL)
        return known;
    if (tg_libssl_at(address, &hooked.libssl, &backend, &libcrypto, &missing))
        hooked.library = tg_cryptolib_at(libcrypto, backend, &missing);
    else
        hooked.library = NULL;
    if (hooked.library == NULL) {
        complain(missing);
        return NULL;
    }
    return keep(object, &hooked);
}

/* Its libssl is met for the first time where a provider hooked the libcrypto alone. */
static const struct tg_hooked *find_on(const struct tg_cryptolib *library, bool *found)
{
    const struct tg_hooked *hooked = tg_hooked_next(library, NULL);
    const void *address =
        hooked == NULL ? tg_libssl_any((void *)library->crypto.X509_verify_cert) : NULL;

    *found = hooked != NULL || address != NULL;
    return address != NULL ? tg_hooked_at(address) : hooked;
}

static const struct tg_hooked *complain_once(const char *missing)
{
    static atomic_bool said;

    if (!atomic_exchange_explicit(&said, true, memory_order_relaxed))
        complain(missing != NULL ? missing : "SSL_CTX_set_cert_verify_callback");
    return NULL;
}

bool tg_hooked_prepare(const struct tg_cryptolib *library)
{
    bool found;

    return find_on(library, &found) != NULL || !found;
}

const struct tg_hooked *tg_hooked_on(const struct tg_cryptolib *library)
{
    bool found;
    const struct tg_hooked *hooked = find_on(library, &found);

    return hooked != NULL ? hooked : complain_once(NULL);
}

const struct tg_hooked *tg_hooked_any(void)
{
    const char *missing = NULL;
    const struct tg_cryptolib *native = tg_cryptolib_native(&missing);

    return native != NULL ? tg_hooked_on(native) : complain_once(missing);
}

static const struct tg_hooked *find_home(const void *home)
{
    for (size_t i = 0; i < LIBSSLS; i++)
        for (size_t m = 0; m < HOMES; m++)
            if (atomic_load_explicit(&places[i].homes[m], memory_order_acquire) == home)
                return &places[i].hooked;
    return NULL;
}

static void remember_home(const struct tg_hooked *hooked, const void *home)
{
    struct place *place = (struct place *)hooked; /* its first member */

    for (size_t m = 0; m < HOMES; m++) {
        const void *none = NULL;

        if (atomic_compare_exchange_strong_explicit(&place->homes[m], &none, home,
                                                    memory_order_release, memory_order_relaxed))
            return;
    }
}

/*
 * Libssls that share a libcrypto are of one version, so any of them can read another's context.
 */
const struct tg_hooked *tg_hooked_of_context(const struct tg_cryptolib *library,
                                             const SSL_CTX *context)
{
    const struct tg_hooked *any = tg_hooked_on(library), *hooked = NULL;
    const void *home = any != NULL ? library->backend->home(any, context) : NULL;

    if (home == NULL)
        return NULL;
    hooked = find_home(home);
    if (hooked == NULL && (hooked = tg_hooked_at(home)) != NULL)
        remember_home(hooked, home);
    return hooked != NULL && hooked->library == library ? hooked : NULL;
}
