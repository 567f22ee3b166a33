#include "supply.h"
#include "share.h"
#include "turn.h"
#include <stdlib.h>

struct tg_supplied {
    struct tg_supplied *next;
    const struct tg_bundle *bundle;
    size_t count;
    bool in[]; /* which certificates are in the store */
};

bool tg_supply_append(struct tg_supply *supply, const struct tg_bundle *bundle)
{
    size_t count = tg_bundle_count(bundle);
    struct tg_supplied *fresh = calloc(1, sizeof(*fresh) + count * sizeof(bool));

    if (fresh == NULL)
        return false;
    fresh->bundle = bundle;
    fresh->count = count;
    tg_turn_step();
    *supply->end = fresh;
    supply->end = &fresh->next;
    supply->last = TG_SUPPLY_BUNDLE;
    atomic_fetch_add_explicit(&supply->pending, count, memory_order_release);
    return true; // cppcheck-suppress memleak ; the supply has it
}

void tg_supply_free(struct tg_supply *supply)
{
    struct tg_supplied *next = NULL;

    for (struct tg_supplied *at = supply->first; at != NULL; at = next) {
        next = at->next;
        tg_share_give(at->bundle);
        free(at);
    }
}

enum end { FIRST, LAST };

/* The first or last object of STORE; it may be no certificate: NULL. */
static X509 *at_end(const struct tg_storelib *lib, X509_STORE *store, enum end which)
{
    const struct tg_libcrypto *crypto = &lib->library->crypto;
    X509 *found = NULL;
    void *objects = NULL;
    int count;

    if (!lib->X509_STORE_lock(store))
        return NULL;
    objects = lib->X509_STORE_get0_objects(store);
    count = crypto->OPENSSL_sk_num(objects);
    if (count > 0)
        found = lib->X509_OBJECT_get0_X509(
            crypto->OPENSSL_sk_value(objects, which == LAST ? (size_t)count - 1 : 0));
    (void)lib->X509_STORE_unlock(store);
    return found;
}

/* What is in the store is freed no earlier than the store: CERTIFICATE may be looked for there. */
static bool bring_one(const struct tg_storelib *lib, X509_STORE *store,
                      const struct tg_bundled *bundled, const X509 **certificate)
{
    const struct tg_libcrypto *crypto = &lib->library->crypto;
    const unsigned char *at = bundled->der;
    X509 *fresh = NULL;
    bool brought;

    (void)crypto->ERR_set_mark();
    fresh = bundled->trusted ? lib->d2i_X509_AUX(NULL, &at, (long)bundled->size)
                             : crypto->d2i_X509(NULL, &at, (long)bundled->size);
    brought = fresh != NULL && lib->X509_STORE_add_cert(store, fresh) == 1;
    *certificate = fresh;
    crypto->X509_free(fresh);
    if (brought)
        (void)crypto->ERR_pop_to_mark();
    else if (lib->ERR_clear_last_mark != NULL)
        (void)lib->ERR_clear_last_mark(); /* what went wrong stays for the program to read */
    return brought;
}

/* Those of SUBJECT (NULL: all), up to the first that can't be had: none comes before it. */
static bool bring(const struct tg_storelib *lib, X509_STORE *store, struct tg_supply *supply,
                  const uint64_t *subject, const X509 **last)
{
    for (struct tg_supplied *from = supply->first; from != NULL; from = from->next)
        for (size_t i = 0; i < from->count; i++) {
            struct tg_bundled bundled = tg_bundle_get(from->bundle, i);

            if (from->in[i] || (subject != NULL && bundled.subject != *subject))
                continue;
            if (!bring_one(lib, store, &bundled, last))
                return false;
            from->in[i] = true;
            atomic_fetch_sub_explicit(&supply->pending, 1, memory_order_release);
        }
    return true;
}

/*
 * A key is decoded in the library context that is the thread's default: when the file was loaded,
 * that was the global one.
 */
static bool bring_in_default(const struct tg_storelib *lib, X509_STORE *store,
                             struct tg_supply *supply, const uint64_t *subject, const X509 **last)
{
    OSSL_LIB_CTX *mine = NULL;
    bool brought;

    if (lib->OSSL_LIB_CTX_set0_default != NULL)
        mine = lib->OSSL_LIB_CTX_set0_default(lib->OSSL_LIB_CTX_get0_global_default());
    brought = bring(lib, store, supply, subject, last);
    if (mine != NULL)
        (void)lib->OSSL_LIB_CTX_set0_default(mine);
    return brought;
}

/* libcrypto sorts before it searches, and adds nothing that it has. */
static void sort(const struct tg_storelib *lib, X509_STORE *store)
{
    X509 *any = at_end(lib, store, FIRST);

    if (any != NULL)
        (void)lib->X509_STORE_add_cert(store, any);
}

static void move_to_end(const struct tg_storelib *lib, X509_STORE *store, const X509 *certificate)
{
    const struct tg_libcrypto *crypto = &lib->library->crypto;
    void *objects = NULL;
    int at = 0, count;

    if (!lib->X509_STORE_lock(store))
        return;
    objects = lib->X509_STORE_get0_objects(store);
    count = crypto->OPENSSL_sk_num(objects);
    while (at < count &&
           lib->X509_OBJECT_get0_X509(crypto->OPENSSL_sk_value(objects, (size_t)at)) != certificate)
        at++;
    if (at < count)
        (void)crypto->OPENSSL_sk_push(objects, lib->OPENSSL_sk_delete(objects, at));
    (void)lib->X509_STORE_unlock(store);
}

/* LAST is what came in last, of a file. */
static void put_in_order(const struct tg_storelib *lib, X509_STORE *store, struct tg_supply *supply,
                         const X509 *last)
{
    bool is_last = at_end(lib, store, LAST) == last; /* else the store had it already */

    if (!supply->mixed)
        return;
    sort(lib, store);
    if (supply->last == TG_SUPPLY_BUNDLE && is_last)
        move_to_end(lib, store, last);
    else if (supply->last == TG_SUPPLY_ADDED)
        move_to_end(lib, store, supply->added);
    supply->mixed = false;
}

bool tg_supply_all(struct tg_supply *supply, const struct tg_storelib *lib, X509_STORE *store)
{
    const X509 *last = NULL;
    bool brought;

    if (supply->pending == 0)
        return true;
    brought = bring_in_default(lib, store, supply, NULL, &last);
    if (brought)
        put_in_order(lib, store, supply, last);
    return brought;
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
    const X509 *last = NULL;
    uint64_t subject = 0;

    if (supply->pending == 0)
        return true;
    if (!fold(lib, name, &subject))
        return tg_supply_all(supply, lib, store);
    supply->mixed = true;
    return bring_in_default(lib, store, supply, &subject, &last);
}

/* What the store may have of the same subject comes in before it. */
int tg_supply_add(struct tg_supply *supply, const struct tg_storelib *lib, X509_STORE *store,
                  X509 *certificate)
{
    int added = 0;

    if (tg_supply_name(supply, lib, store, lib->X509_get_subject_name(certificate)))
        added = lib->X509_STORE_add_cert(store, certificate);
    supply->mixed = true;
    supply->added = certificate;
    supply->last = at_end(lib, store, LAST) == certificate ? TG_SUPPLY_ADDED : TG_SUPPLY_SORTED;
    return added;
}
