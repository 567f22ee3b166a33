#include "supply.h"
#include "share.h"
#include "turn.h"
#include <stdlib.h>
#include <string.h>

struct tg_supplied {
    struct tg_supplied *next;
    const struct tg_bundle *bundle;
    size_t count;
    const X509 *in[]; /* which certificates are in the store; `had`: it had an equal one */
};

static const char had_one;
#define had ((const X509 *)(const void *)&had_one)

void tg_supply_free(struct tg_supply *supply)
{
    struct tg_supplied *next = NULL;

    for (struct tg_supplied *at = supply->first; at != NULL; at = next) {
        next = at->next;
        tg_share_give(at->bundle);
        free(at);
    }
    free(supply->since);
}

/* The last object of STORE; it may be no certificate: NULL. */
static const X509 *at_end(const struct tg_storelib *lib, X509_STORE *store)
{
    const struct tg_libcrypto *crypto = &lib->library->crypto;
    const X509 *found = NULL;
    void *objects = NULL;
    int count;

    if (!lib->X509_STORE_lock(store))
        return NULL;
    objects = lib->X509_STORE_get0_objects(store);
    count = crypto->OPENSSL_sk_num(objects);
    if (count > 0)
        found = lib->X509_OBJECT_get0_X509(crypto->OPENSSL_sk_value(objects, (size_t)count - 1));
    (void)lib->X509_STORE_unlock(store);
    return found;
}

/* What is in the store is freed no earlier than the store: *IN may be looked for there. */
static bool bring_one(const struct tg_storelib *lib, X509_STORE *store,
                      const struct tg_bundled *bundled, const X509 **in)
{
    const struct tg_libcrypto *crypto = &lib->library->crypto;
    const unsigned char *at = bundled->der;
    X509 *fresh = NULL;
    bool brought;

    (void)crypto->ERR_set_mark();
    fresh = bundled->trusted ? lib->d2i_X509_AUX(NULL, &at, (long)bundled->size)
                             : crypto->d2i_X509(NULL, &at, (long)bundled->size);
    brought = fresh != NULL && lib->X509_STORE_add_cert(store, fresh) == 1;
    if (brought)
        *in = at_end(lib, store) == fresh ? fresh : had;
    crypto->X509_free(fresh);
    if (brought)
        (void)crypto->ERR_pop_to_mark();
    else if (lib->ERR_clear_last_mark != NULL)
        (void)lib->ERR_clear_last_mark(); /* what went wrong stays for the program to read */
    return brought;
}

/* Those of SUBJECT (NULL: all), up to the first that can't be had: none comes before it. */
static bool bring(const struct tg_storelib *lib, X509_STORE *store, struct tg_supply *supply,
                  const uint64_t *subject)
{
    for (struct tg_supplied *from = supply->first; from != NULL; from = from->next)
        for (size_t i = 0; i < from->count; i++) {
            struct tg_bundled bundled = tg_bundle_get(from->bundle, i);

            if (from->in[i] != NULL || (subject != NULL && bundled.subject != *subject))
                continue;
            if (!bring_one(lib, store, &bundled, &from->in[i]))
                return false;
            atomic_fetch_sub_explicit(&supply->pending, 1, memory_order_release);
        }
    return true;
}

/*
 * A key is decoded in the library context that is the thread's default: when the file was loaded,
 * that was the global one.
 */
static bool bring_in_default(const struct tg_storelib *lib, X509_STORE *store,
                             struct tg_supply *supply, const uint64_t *subject)
{
    OSSL_LIB_CTX *mine = NULL;
    bool brought;

    if (lib->OSSL_LIB_CTX_set0_default != NULL)
        mine = lib->OSSL_LIB_CTX_set0_default(lib->OSSL_LIB_CTX_get0_global_default());
    brought = bring(lib, store, supply, subject);
    if (mine != NULL)
        (void)lib->OSSL_LIB_CTX_set0_default(mine);
    return brought;
}

/* ---- in which order ---------------------------------------------------------------------------
 *
 * libcrypto sorts a store's objects before it searches; up to OpenSSL 3.0 also as it adds one,
 * which it looks for. What it has added since stands behind them.
 */

/* CHANGED is put at the end. Without memory it will be in another place. The old list is freed
 * last: a fork's child may find it. */
static void note(struct tg_supply *supply, const struct tg_storelib *lib,
                 struct tg_supply_since changed)
{
    size_t count = lib->adding_sorts ? 0 : supply->since_count;
    struct tg_supply_since *old = supply->since, *since = old;

    supply->since_count = count;
    if ((count & (count - 1)) == 0) { /* nothing, or a power of two: it is full */
        since = malloc((count > 0 ? 2 * count : 1) * sizeof(*since));
        if (since == NULL)
            return;
        if (count > 0)
            memcpy(since, old, count * sizeof(*since));
    }
    since[count] = changed;
    tg_turn_step();
    supply->since = since;
    tg_turn_step();
    supply->since_count = count + 1;
    if (since != old)
        free(old);
}

static bool append(struct tg_supply *supply, const struct tg_storelib *lib,
                   const struct tg_bundle *bundle)
{
    size_t count = tg_bundle_count(bundle);
    struct tg_supplied *fresh = calloc(1, sizeof(*fresh) + count * sizeof(fresh->in[0]));

    if (fresh == NULL)
        return false;
    fresh->bundle = bundle;
    fresh->count = count;
    tg_turn_step();
    *supply->end = fresh;
    supply->end = &fresh->next;
    if (supply->pending == 0) /* whatever is there by now is in its place */
        supply->since_count = 0;
    note(supply, lib, (struct tg_supply_since){.bundle = fresh});
    atomic_fetch_add_explicit(&supply->pending, count, memory_order_release);
    return true; // cppcheck-suppress memleak ; the supply has it
}

static bool has(const struct tg_supply *supply, const struct tg_bundle *bundle)
{
    const struct tg_supplied *at = supply->first;

    while (at != NULL && at->bundle != bundle && !tg_bundle_is_same(at->bundle, bundle))
        at = at->next;
    return at != NULL;
}

static void move_to_end(const struct tg_storelib *lib, void *objects, const X509 *certificate)
{
    const struct tg_libcrypto *crypto = &lib->library->crypto;
    int at = 0, count = crypto->OPENSSL_sk_num(objects);

    while (at < count &&
           lib->X509_OBJECT_get0_X509(crypto->OPENSSL_sk_value(objects, (size_t)at)) != certificate)
        at++;
    if (at < count)
        (void)crypto->OPENSSL_sk_push(objects, lib->OPENSSL_sk_delete(objects, at));
}

/* Of a bundle only the last one stands behind the others where adding it has sorted these. */
static void move_since(const struct tg_storelib *lib, void *objects,
                       const struct tg_supply_since *since)
{
    const struct tg_supplied *bundle = since->bundle;

    if (bundle == NULL)
        move_to_end(lib, objects, since->added);
    for (size_t i = bundle != NULL && lib->adding_sorts ? bundle->count - 1 : 0;
         bundle != NULL && i < bundle->count; i++)
        if (bundle->in[i] != had)
            move_to_end(lib, objects, bundle->in[i]);
}

static void put_in_order(const struct tg_storelib *lib, X509_STORE *store, struct tg_supply *supply)
{
    void *objects = NULL;

    if (!supply->mixed || !lib->X509_STORE_lock(store))
        return;
    objects = lib->X509_STORE_get0_objects(store);
    lib->OPENSSL_sk_sort(objects);
    for (size_t i = 0; i < supply->since_count; i++)
        move_since(lib, objects, &supply->since[i]);
    (void)lib->X509_STORE_unlock(store);
    supply->mixed = false;
}

/*
 * Of what is there already nothing is added, however often a program loads it; OpenSSL 3.5 adds
 * some once more that share their subject with others.
 */
bool tg_supply_append(struct tg_supply *supply, const struct tg_storelib *lib, X509_STORE *store,
                      const struct tg_bundle *bundle)
{
    if (!has(supply, bundle))
        return append(supply, lib, bundle);
    tg_share_give(bundle);
    if (!lib->adding_sorts)
        return true;
    supply->since_count = 0;
    supply->mixed = true;
    if (supply->pending == 0)
        put_in_order(lib, store, supply);
    return true;
}

void tg_supply_searched(struct tg_supply *supply)
{
    supply->since_count = 0;
}

bool tg_supply_all(struct tg_supply *supply, const struct tg_storelib *lib, X509_STORE *store)
{
    if (supply->pending == 0)
        return true;
    if (!bring_in_default(lib, store, supply, NULL))
        return false;
    put_in_order(lib, store, supply);
    return true;
}

/* False: it may equal the subject of any. */
static bool fold(const struct tg_storelib *lib, const X509_NAME *name, uint64_t *subject)
{
    const unsigned char *der = NULL;
    struct tg_der whole, content;
    size_t size = 0;

    if (!lib->X509_NAME_get0_der(name, &der, &size))
        return false;
    whole = (struct tg_der){der, der + size};
    return tg_der_take(&whole, 0x30, &content) && tg_fold_name(content, subject);
}

bool tg_supply_name(struct tg_supply *supply, const struct tg_storelib *lib, X509_STORE *store,
                    const X509_NAME *name)
{
    uint64_t subject = 0;

    if (supply->pending == 0)
        return true;
    if (!fold(lib, name, &subject))
        return tg_supply_all(supply, lib, store);
    supply->mixed = true;
    return bring_in_default(lib, store, supply, &subject);
}

/* What the store may have of the same subject comes in before it. */
int tg_supply_add(struct tg_supply *supply, const struct tg_storelib *lib, X509_STORE *store,
                  X509 *certificate)
{
    int added = 0;

    if (tg_supply_name(supply, lib, store, lib->X509_get_subject_name(certificate)))
        added = lib->X509_STORE_add_cert(store, certificate);
    supply->mixed = true;
    if (at_end(lib, store) == certificate)
        note(supply, lib, (struct tg_supply_since){.added = certificate});
    else if (lib->adding_sorts)
        supply->since_count = 0;
    return added;
}
