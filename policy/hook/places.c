/* places.c - every libssl of this process that works on the libcrypto we are bound to. */
#include "hook.h"

/* A place once filled stays as it is. */
#define LIBSSLS 8
#define METHODS 16

enum { EMPTY, FILLING, READY };

static struct place {
    struct tg_hooked hooked;
    const void *object;           /* where that libssl is loaded */
    const void *methods[METHODS]; /* of its SSL_METHODs those met so far */
    int state;
} places[LIBSSLS];

static void complain(const char *missing)
{
    tg_log_complain(TG_ORIGIN_ENVIRONMENT,
                    "this program's libssl can't be put under a policy: %s%s",
                    missing != NULL ? "it has no " : "it works on another libcrypto",
                    missing != NULL ? missing : "");
}

/* The one in OBJECT; any, where that is NULL. */
static const struct tg_hooked *find(const void *object)
{
    for (size_t i = 0; i < LIBSSLS; i++)
        if (__atomic_load_n(&places[i].state, __ATOMIC_ACQUIRE) == READY &&
            (object == NULL || places[i].object == object))
            return &places[i].hooked;
    return NULL;
}

/* Threads that come at once may each fill a place with the same: that does no harm. */
static const struct tg_hooked *fill(const void *object, const struct tg_libssl *libssl)
{
    for (size_t i = 0; i < LIBSSLS; i++) {
        struct place *place = &places[i];
        int expected = EMPTY;

        if (!__atomic_compare_exchange_n(&place->state, &expected, FILLING, false, __ATOMIC_ACQUIRE,
                                         __ATOMIC_RELAXED))
            continue;
        place->hooked.libssl = *libssl;
        place->object = object;
        __atomic_store_n(&place->state, READY, __ATOMIC_RELEASE);
        return &place->hooked;
    }
    complain(NULL);
    return NULL;
}

const struct tg_hooked *tg_hooked_at(const void *address)
{
    const void *object = tg_libssl_object(address);
    const struct tg_hooked *hooked = object != NULL ? find(object) : NULL;
    const char *missing = NULL;
    struct tg_libssl libssl;

    if (hooked != NULL)
        return hooked;
    if (tg_libssl_at(address, &libssl, &missing))
        return fill(object, &libssl);
    complain(missing);
    return NULL;
}

static const struct tg_hooked *find_any(const char **missing)
{
    const struct tg_hooked *hooked = find(NULL);
    struct tg_libssl libssl;

    if (hooked == NULL && tg_libssl_any(&libssl, missing))
        hooked = fill(tg_libssl_object((void *)libssl.SSL_is_server), &libssl);
    return hooked;
}

void tg_hooked_prepare(void)
{
    const char *missing = NULL;

    (void)find_any(&missing);
}

const struct tg_hooked *tg_hooked_any(void)
{
    static bool said;
    const char *missing = NULL;
    const struct tg_hooked *hooked = find_any(&missing);

    if (hooked == NULL && !__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
        complain(missing);
    return hooked;
}

static const struct tg_hooked *find_method(const void *method)
{
    for (size_t i = 0; i < LIBSSLS; i++)
        for (size_t m = 0; m < METHODS; m++)
            if (__atomic_load_n(&places[i].methods[m], __ATOMIC_ACQUIRE) == method)
                return &places[i].hooked;
    return NULL;
}

static void remember_method(const struct tg_hooked *hooked, const void *method)
{
    struct place *place = (struct place *)hooked; /* its first member */

    for (size_t m = 0; m < METHODS; m++) {
        const void *none = NULL;

        if (__atomic_compare_exchange_n(&place->methods[m], &none, method, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
            return;
    }
}

/*
 * A context's method is static data of the libssl that made it (SSL_CTX_new(3)). Libssls that
 * share a libcrypto are of one version, so any of them can read another's context.
 */
const struct tg_hooked *tg_hooked_of_context(const SSL_CTX *context)
{
    const struct tg_hooked *any = tg_hooked_any(), *hooked = NULL;
    const void *method = any != NULL ? any->libssl.SSL_CTX_get_ssl_method(context) : NULL;

    if (method == NULL)
        return NULL;
    hooked = find_method(method);
    if (hooked == NULL && (hooked = tg_hooked_at(method)) != NULL)
        remember_method(hooked, method);
    return hooked;
}

struct tg_connection_state *tg_connection_state_of(const SSL *ssl)
{
    const struct tg_hooked *any = find(NULL);

    return any != NULL ? any->libssl.SSL_get_ex_data(ssl, tg_connection_index) : NULL;
}

struct tg_context_state *tg_context_state_of(const SSL_CTX *context)
{
    const struct tg_hooked *any = find(NULL);

    return any != NULL ? any->libssl.SSL_CTX_get_ex_data(context, tg_context_index) : NULL;
}

const struct tg_hooked *tg_hooked_of(const SSL *ssl)
{
    struct tg_connection_state *state = tg_connection_state_of(ssl);
    const struct tg_hooked *any = NULL, *hooked = NULL;

    if (state != NULL && state->hooked != NULL)
        return state->hooked;
    any = tg_hooked_any();
    if (any != NULL)
        hooked = tg_hooked_of_context(any->libssl.SSL_get_SSL_CTX(ssl));
    if (state != NULL)
        state->hooked = hooked;
    return hooked;
}
