#include "holding.h"
#include "share.h"
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Of a program's store so many objects are looked at, at most: to decode costs no more. */
enum { MOST_BESIDE = 1024 };

/* One certificate, of all the holdings that have it. */
struct held {
    _Atomic unsigned references;
    X509 *_Atomic decoded;    /* NULL: not yet */
    uint64_t subject;         /* tg_fold_name; of one that was never indexed perhaps 0 */
    size_t size, certificate; /* in bytes: with settings, and without */
    uint8_t der[];
};

struct tg_holding {
    struct held **item;
    size_t count, room;
};

/* ---- one certificate ------------------------------------------------------------------------ */

static struct held *new_held(const uint8_t *der, size_t size, size_t certificate, uint64_t subject)
{
    struct held *held = malloc(sizeof(*held) + size);

    if (held == NULL)
        return NULL;
    atomic_init(&held->references, 1);
    atomic_init(&held->decoded, NULL);
    held->subject = subject;
    held->size = size;
    held->certificate = certificate;
    memcpy(held->der, der, size);
    return held;
}

static void release(struct held *held)
{
    if (atomic_fetch_sub_explicit(&held->references, 1, memory_order_acq_rel) > 1)
        return;
    X509_free(held->decoded);
    free(held);
}

/* A key is decoded in the library context that is the thread's default: the program's here, where
 * it was the global one when the policy was read. */
static X509 *decode(const struct held *held)
{
    OSSL_LIB_CTX *mine = OSSL_LIB_CTX_set0_default(OSSL_LIB_CTX_get0_global_default());
    const unsigned char *at = held->der;
    X509 *fresh;

    ERR_set_mark();
    fresh = d2i_X509_AUX(NULL, &at, (long)held->size);
    ERR_pop_to_mark();
    (void)OSSL_LIB_CTX_set0_default(mine);
    return fresh;
}

/* Of two threads that decoded it, one's stays. */
static X509 *get(struct held *held)
{
    X509 *kept = atomic_load_explicit(&held->decoded, memory_order_acquire), *fresh;

    if (kept != NULL)
        return kept;
    fresh = decode(held);
    if (fresh == NULL ||
        atomic_compare_exchange_strong_explicit(&held->decoded, &kept, fresh, memory_order_acq_rel,
                                                memory_order_acquire))
        return fresh;
    X509_free(fresh);
    return kept;
}

/* ---- from first to last --------------------------------------------------------------------- */

struct tg_holding *tg_holding_new(void)
{
    return calloc(1, sizeof(struct tg_holding));
}

static void shorten(struct tg_holding *holding, size_t count)
{
    while (holding->count > count)
        release(holding->item[--holding->count]);
}

void tg_holding_free(struct tg_holding *holding)
{
    if (holding == NULL)
        return;
    shorten(holding, 0);
    free(holding->item);
    free(holding);
}

size_t tg_holding_count(const struct tg_holding *holding)
{
    return holding != NULL ? holding->count : 0;
}

/* HELD (NULL: no memory) is HOLDING's, or is released. */
static bool append(struct tg_holding *holding, struct held *held)
{
    if (held != NULL && holding->count == holding->room) {
        size_t room = holding->room > 0 ? holding->room * 2 : 4;
        struct held **item = realloc(holding->item, room * sizeof(struct held *));

        if (item == NULL) {
            release(held);
            return false;
        }
        holding->item = item;
        holding->room = room;
    }
    if (held != NULL)
        holding->item[holding->count++] = held;
    return held != NULL;
}

static bool append_bundled(struct tg_holding *holding, const struct tg_bundled *bundled)
{
    return append(holding,
                  new_held(bundled->der, bundled->size, bundled->certificate, bundled->subject));
}

/* False: it may equal the subject of any. */
static bool fold(const X509_NAME *name, uint64_t *subject)
{
    const unsigned char *der = NULL;
    struct tg_der whole, content;
    size_t size = 0;

    if (!X509_NAME_get0_der(name, &der, &size))
        return false;
    whole = (struct tg_der){der, der + size};
    return tg_der_take(&whole, 0x30, &content) && tg_fold_name(content, subject);
}

bool tg_holding_add(struct tg_holding *holding, X509 *certificate)
{
    unsigned char *der = NULL;
    int size = i2d_X509_AUX(certificate, &der), own = i2d_X509(certificate, NULL);
    uint64_t subject = 0;
    struct held *held = NULL;

    if (!fold(X509_get_subject_name(certificate), &subject))
        subject = 0;
    if (own > 0 && size >= own)
        held = new_held(der, (size_t)size, (size_t)own, subject);
    OPENSSL_free(der);
    if (held != NULL && X509_up_ref(certificate))
        held->decoded = certificate;
    return append(holding, held);
}

bool tg_holding_add_der(struct tg_holding *holding, const uint8_t *der, size_t size)
{
    const unsigned char *at = der;
    struct tg_bundled bundled;
    X509 *certificate;
    bool added;

    if (tg_bundled_read(der, size, true, &bundled))
        return append_bundled(holding, &bundled);
    certificate = size <= LONG_MAX ? d2i_X509_AUX(NULL, &at, (long)size) : NULL;
    added = certificate != NULL && at == der + size && tg_holding_add(holding, certificate);
    X509_free(certificate);
    return added;
}

bool tg_holding_add_file(struct tg_holding *holding, const struct tg_file *file, size_t blocks)
{
    const struct tg_bundle *bundle = tg_share_read(&file->status, file->data, file->size);
    size_t before = holding->count;
    bool added = bundle != NULL && tg_bundle_count(bundle) == blocks;

    for (size_t i = 0; added && i < blocks; i++) {
        struct tg_bundled bundled = tg_bundle_get(bundle, i);

        added = append_bundled(holding, &bundled);
    }
    if (!added)
        shorten(holding, before);
    tg_share_give(bundle);
    return added;
}

bool tg_holding_join(struct tg_holding *holding, const struct tg_holding *other)
{
    size_t before = holding->count;

    for (size_t i = 0; i < tg_holding_count(other); i++) {
        atomic_fetch_add_explicit(&other->item[i]->references, 1, memory_order_relaxed);
        if (!append(holding, other->item[i])) {
            shorten(holding, before);
            return false;
        }
    }
    return true;
}

/* ---- each once ------------------------------------------------------------------------------ */

struct place {
    const struct held *held;
    size_t index;
};

static int compare_certificates(const struct held *one, const struct held *other)
{
    if (one->subject != other->subject)
        return one->subject < other->subject ? -1 : 1;
    if (one->certificate != other->certificate)
        return one->certificate < other->certificate ? -1 : 1;
    return memcmp(one->der, other->der, one->certificate);
}

static int compare_places(const void *a, const void *b)
{
    const struct place *one = a, *other = b;
    int order = compare_certificates(one->held, other->held);

    return order != 0 ? order : (one->index > other->index) - (one->index < other->index);
}

/* Files of 100,000 certificates: sorted, not each compared with each. */
bool tg_holding_unique(struct tg_holding *holding)
{
    size_t count = holding->count, kept = 0;
    struct place *places = calloc(count + 1, sizeof(*places));

    if (places == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        places[i] = (struct place){holding->item[i], i};
    qsort(places, count, sizeof(*places), compare_places);
    for (size_t i = count; i-- > 1;)
        if (compare_certificates(places[i - 1].held, places[i].held) == 0) {
            release(holding->item[places[i].index]);
            holding->item[places[i].index] = NULL;
        }
    for (size_t i = 0; i < count; i++)
        if (holding->item[i] != NULL)
            holding->item[kept++] = holding->item[i];
    holding->count = kept;
    free(places);
    return true;
}

/* ---- what is asked for ---------------------------------------------------------------------- */

X509 *tg_holding_get(const struct tg_holding *holding, size_t index)
{
    return get(holding->item[index]);
}

const uint8_t *tg_holding_der(const struct tg_holding *holding, size_t index, size_t *size)
{
    *size = holding->item[index]->size;
    return holding->item[index]->der;
}

static bool has(const struct held *held, const unsigned char *bytes, int size)
{
    return size > 0 && memmem(held->der, held->certificate, bytes, (size_t)size) != NULL;
}

/* libcrypto writes a certificate as it came also where its extensions or times were changed in
 * place since (X509_EXTENSION_set_data(3), X509_getm_notAfter(3)): these have to be those that
 * came. */
static bool is_unchanged(const struct held *held, const X509 *certificate)
{
    const ASN1_TIME *from = X509_get0_notBefore(certificate);
    const ASN1_TIME *until = X509_get0_notAfter(certificate);
    unsigned char *extensions = NULL;
    int size = i2d_X509_EXTENSIONS(X509_get0_extensions(certificate), &extensions);
    bool unchanged = has(held, extensions, size) &&
                     has(held, ASN1_STRING_get0_data(from), ASN1_STRING_length(from)) &&
                     has(held, ASN1_STRING_get0_data(until), ASN1_STRING_length(until));

    OPENSSL_free(extensions);
    return unchanged;
}

static bool is(const struct held *held, const X509 *certificate)
{
    unsigned char *der = NULL;
    int size = i2d_X509_AUX(certificate, &der);
    bool same = size > 0 && (size_t)size == held->size && memcmp(der, held->der, held->size) == 0;

    OPENSSL_free(der);
    return same && is_unchanged(held, certificate);
}

/* A reference to what STORE has of HELD, if that has this SUBJECT. Its objects are looked at one by
 * one: a search would sort them, which the program could see. */
static X509 *find_beside(X509_STORE *store, const struct held *held, const X509_NAME *subject)
{
    STACK_OF(X509_OBJECT) *objects;
    X509 *found = NULL;

    if (store == NULL || !X509_STORE_lock(store))
        return NULL;
    objects = X509_STORE_get0_objects(store);
    for (int i = 0; found == NULL && i < MOST_BESIDE && i < sk_X509_OBJECT_num(objects); i++) {
        X509 *one = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

        if (one != NULL && X509_NAME_cmp(X509_get_subject_name(one), subject) == 0 &&
            is(held, one) && X509_up_ref(one))
            found = one;
    }
    X509_STORE_unlock(store);
    return found;
}

/* A reference to HELD if it has this SUBJECT, with *DONE; NULL and *DONE: it hasn't. */
static X509 *take_if(struct held *held, const X509_NAME *subject, X509_STORE *beside, bool *done)
{
    X509 *one = NULL;

    if (atomic_load_explicit(&held->decoded, memory_order_acquire) == NULL)
        one = find_beside(beside, held, subject);
    if (one != NULL)
        return one;
    one = get(held);
    *done = one != NULL;
    if (one == NULL || X509_NAME_cmp(X509_get_subject_name(one), subject) != 0)
        return NULL;
    *done = X509_up_ref(one);
    return *done ? one : NULL;
}

/* CERTIFICATE is *FOUND's then, or freed. */
static bool push(STACK_OF(X509) **found, X509 *certificate)
{
    if (*found == NULL)
        *found = sk_X509_new_null();
    if (*found != NULL && sk_X509_push(*found, certificate) > 0)
        return true;
    X509_free(certificate);
    return false;
}

bool tg_holding_find(const struct tg_holding *holding, const X509_NAME *subject, X509_STORE *beside,
                     STACK_OF(X509) **found)
{
    uint64_t wanted = 0;
    bool known = tg_holding_count(holding) > 0 && fold(subject, &wanted), done = true;

    *found = NULL;
    for (size_t i = 0; done && i < tg_holding_count(holding); i++) {
        struct held *held = holding->item[i];
        X509 *one;

        if (known && held->subject != wanted &&
            atomic_load_explicit(&held->decoded, memory_order_acquire) == NULL)
            continue;
        one = take_if(held, subject, beside, &done);
        if (one != NULL)
            done = push(found, one);
    }
    if (done)
        return true;
    sk_X509_pop_free(*found, X509_free);
    *found = NULL;
    return false;
}
