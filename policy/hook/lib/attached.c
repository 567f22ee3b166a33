#include "attached.h"
#include "once.h"
#include "pool.h"
#include "share.h"
#include "turn.h"
#include <errno.h>
#include <stdlib.h>

struct attachment {
    struct attachment *next;
    const struct tg_bundle *bundle;
    size_t count;
    bool in[]; /* which certificates are in the store */
};

/* What came last into the store, as far as its own search hasn't sorted it since: that one stands
 * at the end of its objects. */
enum last { LAST_SORTED, LAST_BUNDLE, LAST_ADDED };

/* What is kept of a store: an item of the pool, from the store's beginning to its end. */
struct attached {
    tg_turn turn;
    struct attachment *first, **end;
    atomic_size_t pending;
    X509_LOOKUP *files;
    atomic_bool hooked; /* our hooks are the store's */
    atomic_bool closed; /* nothing is attached any more */
    bool mixed;         /* what is in the store came in another order than in its files */
    enum last last;
    const X509 *added; /* for LAST_ADDED; the store has it */
};

static struct tg_pool pool = {.size = sizeof(struct attached)};
static atomic_int indexes[TG_CRYPTOLIBS]; /* of the ex_data; 0: none */

/* ---- beginning and end of a store ----------------------------------------------------------- */

/* CRYPTO_EX_new of X509_STORE. */
static void begin(void *store, void *pointer, CRYPTO_EX_DATA *data, int index, long number,
                  void *library)
{
    const struct tg_libcrypto *crypto = &((const struct tg_cryptolib *)library)->crypto;
    struct attached *attached = tg_pool_take(&pool, store);

    (void)pointer, (void)number;
    if (attached == NULL)
        return;
    attached->end = &attached->first;
    if (!crypto->CRYPTO_set_ex_data(data, index, attached))
        tg_pool_give(&pool, attached);
}

static void free_attachments(struct attachment *attachment)
{
    while (attachment != NULL) {
        struct attachment *next = attachment->next;

        tg_share_give(attachment->bundle);
        free(attachment);
        attachment = next;
    }
}

/* CRYPTO_EX_free of X509_STORE; POINTER may be another's. */
static void end(void *store, void *pointer, CRYPTO_EX_DATA *data, int index, long number,
                void *library)
{
    struct attached *attached = tg_pool_item(&pool, pointer, store);

    (void)data, (void)index, (void)number, (void)library;
    if (attached == NULL)
        return;
    free_attachments(attached->first);
    tg_pool_give(&pool, attached);
}

static void take_index(void *arg)
{
    struct tg_cryptolib *library = arg;
    int index = library->crypto.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE, 0, library,
                                                        begin, NULL, end);

    if (index > 0)
        atomic_store_explicit(&indexes[library->number], index, memory_order_release);
}

void tg_attached_begin(struct tg_cryptolib *library)
{
    static pthread_once_t once[TG_CRYPTOLIBS] = {PTHREAD_ONCE_INIT, PTHREAD_ONCE_INIT,
                                                 PTHREAD_ONCE_INIT, PTHREAD_ONCE_INIT};

    if (library->backend->kind & TG_KIND_OPENSSL)
        tg_once(&once[library->number], take_index, library);
}

/* NULL: STORE isn't known, as it is older than our index, or of another library context. */
static struct attached *find(const struct tg_storelib *lib, const X509_STORE *store)
{
    int index = atomic_load_explicit(&indexes[lib->library->number], memory_order_acquire);

    if (store == NULL || index <= 0)
        return NULL;
    return tg_pool_item(&pool, lib->X509_STORE_get_ex_data(store, index), store);
}

/* ---- one thread at a time ------------------------------------------------------------------- */

struct guard {
    bool taken;
    int cancel, saved;
};

/* False: this thread is inside already, in a call of libcrypto to itself. */
static bool enter(struct attached *attached, struct guard *guard)
{
    guard->saved = errno;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &guard->cancel);
    guard->taken = tg_turn_take(&attached->turn);
    if (!guard->taken)
        (void)pthread_setcancelstate(guard->cancel, NULL);
    return guard->taken;
}

static void leave(struct attached *attached, const struct guard *guard)
{
    tg_turn_give(&attached->turn, guard->taken);
    (void)pthread_setcancelstate(guard->cancel, NULL);
    errno = guard->saved;
}

/* ---- bringing in ---------------------------------------------------------------------------- */

/* The last object of STORE; it may be no certificate: NULL. */
static const X509 *last_of(const struct tg_storelib *lib, X509_STORE *store)
{
    const struct tg_libcrypto *crypto = &lib->library->crypto;
    const X509 *last = NULL;
    void *objects = NULL;
    int count;

    if (!lib->X509_STORE_lock(store))
        return NULL;
    objects = lib->X509_STORE_get0_objects(store);
    count = crypto->OPENSSL_sk_num(objects);
    if (count > 0)
        last = lib->X509_OBJECT_get0_X509(crypto->OPENSSL_sk_value(objects, (size_t)count - 1));
    (void)lib->X509_STORE_unlock(store);
    return last;
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
static bool bring(const struct tg_storelib *lib, X509_STORE *store, struct attached *attached,
                  const uint64_t *subject, const X509 **last)
{
    for (struct attachment *from = attached->first; from != NULL; from = from->next)
        for (size_t i = 0; i < from->count; i++) {
            struct tg_bundled bundled = tg_bundle_get(from->bundle, i);

            if (from->in[i] || (subject != NULL && bundled.subject != *subject))
                continue;
            if (!bring_one(lib, store, &bundled, last))
                return false;
            from->in[i] = true;
            atomic_fetch_sub_explicit(&attached->pending, 1, memory_order_release);
        }
    return true;
}

/*
 * A key is decoded in the library context that is the thread's default: when the file was loaded,
 * that was the global one.
 */
static bool bring_in_default(const struct tg_storelib *lib, X509_STORE *store,
                             struct attached *attached, const uint64_t *subject, const X509 **last)
{
    OSSL_LIB_CTX *mine = NULL;
    bool brought;

    if (lib->OSSL_LIB_CTX_set0_default != NULL)
        mine = lib->OSSL_LIB_CTX_set0_default(lib->OSSL_LIB_CTX_get0_global_default());
    brought = bring(lib, store, attached, subject, last);
    if (mine != NULL)
        (void)lib->OSSL_LIB_CTX_set0_default(mine);
    return brought;
}

/* libcrypto sorts before it searches, and adds nothing that it has. */
static void sort(const struct tg_storelib *lib, X509_STORE *store)
{
    const struct tg_libcrypto *crypto = &lib->library->crypto;
    void *objects = lib->X509_STORE_get0_objects(store);
    X509 *any = NULL;

    if (crypto->OPENSSL_sk_num(objects) > 0)
        any = lib->X509_OBJECT_get0_X509(crypto->OPENSSL_sk_value(objects, 0));
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
static void put_in_order(const struct tg_storelib *lib, X509_STORE *store,
                         struct attached *attached, const X509 *last)
{
    bool at_end = last_of(lib, store) == last; /* else the store had it already */

    if (!attached->mixed)
        return;
    sort(lib, store);
    if (attached->last == LAST_BUNDLE && at_end)
        move_to_end(lib, store, last);
    else if (attached->last == LAST_ADDED)
        move_to_end(lib, store, attached->added);
    attached->mixed = false;
}

static bool bring_all(const struct tg_storelib *lib, X509_STORE *store, struct attached *attached)
{
    const X509 *last = NULL;
    bool brought;

    if (attached->pending == 0)
        return true;
    brought = bring_in_default(lib, store, attached, NULL, &last);
    if (brought)
        put_in_order(lib, store, attached, last);
    return brought;
}

bool tg_attached_bring(const struct tg_storelib *lib, X509_STORE *store)
{
    struct attached *attached = find(lib, store);
    struct guard guard;
    bool brought;

    if (attached == NULL || attached->pending == 0 || !enter(attached, &guard))
        return true;
    brought = bring_all(lib, store, attached);
    leave(attached, &guard);
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

static bool bring_name(const struct tg_storelib *lib, X509_STORE *store, struct attached *attached,
                       const X509_NAME *name)
{
    const X509 *last = NULL;
    uint64_t subject = 0;

    if (attached->pending == 0)
        return true;
    if (!fold(lib, name, &subject))
        return bring_all(lib, store, attached);
    attached->mixed = true;
    return bring_in_default(lib, store, attached, &subject, &last);
}

bool tg_attached_bring_name(const struct tg_storelib *lib, X509_STORE *store, const X509_NAME *name)
{
    struct attached *attached = find(lib, store);
    struct guard guard;
    bool brought;

    if (attached == NULL || attached->pending == 0 || !enter(attached, &guard))
        return true;
    brought = bring_name(lib, store, attached, name);
    attached->last = LAST_SORTED; /* it is about to be searched */
    leave(attached, &guard);
    return brought;
}

/* ---- the hooks: of the stores on one libcrypto, as they carry no argument that tells which --- */

static const struct tg_storelib *lib_of(size_t number)
{
    return tg_storelib_of(tg_cryptolib_number(number));
}

static int get_issuer(size_t number, X509 **issuer, X509_STORE_CTX *context, X509 *certificate)
{
    const struct tg_storelib *lib = lib_of(number);

    *issuer = NULL;
    if (!tg_attached_bring_name(lib, lib->X509_STORE_CTX_get0_store(context),
                                lib->X509_get_issuer_name(certificate)))
        return -1;
    return lib->X509_STORE_CTX_get1_issuer(issuer, context, certificate);
}

static STACK_OF(X509) *lookup_certs(size_t number, X509_STORE_CTX *context, const X509_NAME *name)
{
    const struct tg_storelib *lib = lib_of(number);

    if (!tg_attached_bring_name(lib, lib->X509_STORE_CTX_get0_store(context), name))
        return NULL;
    return lib->X509_STORE_CTX_get1_certs(context, name);
}

#define HOOKS(number)                                                                              \
    static int get_issuer_##number(X509 **issuer, X509_STORE_CTX *context, X509 *certificate)      \
    {                                                                                              \
        return get_issuer(number, issuer, context, certificate);                                   \
    }                                                                                              \
    static STACK_OF(X509) *lookup_certs_##number(X509_STORE_CTX *context, const X509_NAME *name)   \
    {                                                                                              \
        return lookup_certs(number, context, name);                                                \
    }
HOOKS(0)
HOOKS(1)
HOOKS(2)
HOOKS(3)

static X509_STORE_CTX_get_issuer_fn get_issuer_of(const struct tg_storelib *lib)
{
    static const X509_STORE_CTX_get_issuer_fn hooks[TG_CRYPTOLIBS] = {get_issuer_0, get_issuer_1,
                                                                      get_issuer_2, get_issuer_3};

    return hooks[lib->library->number];
}

static X509_STORE_CTX_lookup_certs_fn lookup_certs_of(const struct tg_storelib *lib)
{
    static const X509_STORE_CTX_lookup_certs_fn hooks[TG_CRYPTOLIBS] = {
        lookup_certs_0, lookup_certs_1, lookup_certs_2, lookup_certs_3};

    return hooks[lib->library->number];
}

X509_STORE_CTX_get_issuer_fn tg_attached_get_issuer_shown(const struct tg_storelib *lib,
                                                          X509_STORE_CTX_get_issuer_fn found)
{
    return found == get_issuer_of(lib) ? lib->X509_STORE_CTX_get1_issuer : found;
}

X509_STORE_CTX_lookup_certs_fn tg_attached_lookup_certs_shown(const struct tg_storelib *lib,
                                                              X509_STORE_CTX_lookup_certs_fn found)
{
    return found == lookup_certs_of(lib) ? lib->X509_STORE_CTX_get1_certs : found;
}

/* False: the program has hooks of its own there. */
static bool set_hooks(const struct tg_storelib *lib, X509_STORE *store, struct attached *attached)
{
    if (attached->hooked)
        return true;
    if (lib->X509_STORE_get_get_issuer(store) != NULL ||
        lib->X509_STORE_get_lookup_certs(store) != NULL)
        return false;
    lib->X509_STORE_set_get_issuer(store, get_issuer_of(lib));
    lib->X509_STORE_set_lookup_certs(store, lookup_certs_of(lib));
    attached->hooked = true;
    return true;
}

static void withdraw_hooks(const struct tg_storelib *lib, X509_STORE *store,
                           struct attached *attached)
{
    if (!attached->hooked)
        return;
    if (lib->X509_STORE_get_get_issuer(store) == get_issuer_of(lib))
        lib->X509_STORE_set_get_issuer(store, NULL);
    if (lib->X509_STORE_get_lookup_certs(store) == lookup_certs_of(lib))
        lib->X509_STORE_set_lookup_certs(store, NULL);
    attached->hooked = false;
}

bool tg_attached_end(const struct tg_storelib *lib, X509_STORE *store)
{
    struct attached *attached = find(lib, store);
    struct guard guard;
    bool brought;

    if (attached == NULL || !enter(attached, &guard))
        return true;
    brought = bring_all(lib, store, attached);
    if (brought)
        withdraw_hooks(lib, store, attached);
    attached->closed = true;
    leave(attached, &guard);
    return brought;
}

void tg_attached_use(const struct tg_storelib *lib, X509_STORE *store)
{
    struct attached *attached = find(lib, store);
    struct guard guard;

    if (attached == NULL || attached->hooked || attached->closed || !enter(attached, &guard))
        return;
    attached->closed = !attached->hooked;
    leave(attached, &guard);
}

/* ---- what a program puts into it ------------------------------------------------------------ */

static bool is_global_default(const struct tg_storelib *lib)
{
    return lib->OSSL_LIB_CTX_set0_default == NULL ||
           lib->OSSL_LIB_CTX_set0_default(NULL) == lib->OSSL_LIB_CTX_get0_global_default();
}

/* Leaves the error queue as libcrypto does where it comes to the end of a file. */
static void end_of_file(const struct tg_storelib *lib)
{
    const struct tg_libcrypto *crypto = &lib->library->crypto;
    BIO *empty = lib->BIO_new_mem_buf("", 0);

    if (empty != NULL)
        crypto->OPENSSL_sk_free(lib->PEM_X509_INFO_read_bio(empty, NULL, NULL, NULL));
    (void)crypto->BIO_free(empty);
}

/* Takes BUNDLE over where it succeeds. */
static bool attach(const struct tg_storelib *lib, X509_STORE *store, struct attached *attached,
                   const struct tg_bundle *bundle)
{
    size_t count = tg_bundle_count(bundle);
    struct attachment *attachment = calloc(1, sizeof(*attachment) + count * sizeof(bool));
    X509_LOOKUP *files = lib->X509_STORE_add_lookup(store, lib->X509_LOOKUP_file());

    if (attachment == NULL || files == NULL || attached->closed ||
        !set_hooks(lib, store, attached)) {
        free(attachment);
        return false;
    }
    attached->files = files;
    attachment->bundle = bundle;
    attachment->count = count;
    *attached->end = attachment;
    attached->end = &attachment->next;
    atomic_fetch_add_explicit(&attached->pending, count, memory_order_release);
    attached->last = LAST_BUNDLE;
    return true;
}

size_t tg_attached_load(const struct tg_storelib *lib, X509_STORE *store, const char *file)
{
    struct attached *attached = find(lib, store);
    const struct tg_bundle *bundle = NULL;
    struct guard guard;
    bool done;

    if (attached == NULL || attached->closed || file == NULL || !is_global_default(lib))
        return 0;
    bundle = tg_share_take(file);
    if (bundle == NULL)
        return 0;
    done = enter(attached, &guard);
    if (done) {
        done = attach(lib, store, attached, bundle);
        leave(attached, &guard);
    }
    if (!done) {
        tg_share_give(bundle);
        return 0;
    }
    end_of_file(lib);
    return tg_bundle_count(bundle);
}

/* What the store may have of the same subject comes in before it. */
static int add(const struct tg_storelib *lib, X509_STORE *store, struct attached *attached,
               X509 *certificate)
{
    int added = 0;

    if (bring_name(lib, store, attached, lib->X509_get_subject_name(certificate)))
        added = lib->X509_STORE_add_cert(store, certificate);
    attached->mixed = true;
    attached->added = certificate;
    attached->last = last_of(lib, store) == certificate ? LAST_ADDED : LAST_SORTED;
    return added;
}

int tg_attached_add(const struct tg_storelib *lib, X509_STORE *store, X509 *certificate)
{
    struct attached *attached = find(lib, store);
    struct guard guard;
    int added;

    if (attached == NULL || attached->pending == 0 || certificate == NULL ||
        !enter(attached, &guard))
        return lib->X509_STORE_add_cert(store, certificate);
    added = add(lib, store, attached, certificate);
    leave(attached, &guard);
    return added;
}

void tg_attached_note_files(const struct tg_storelib *lib, X509_STORE *store, X509_LOOKUP *lookup)
{
    struct attached *attached = find(lib, store);

    if (attached != NULL)
        attached->files = lookup;
}

bool tg_attached_is_files(const struct tg_storelib *lib, const X509_LOOKUP *lookup)
{
    const struct attached *attached = find(lib, lib->X509_LOOKUP_get_store(lookup));

    return attached != NULL && attached->files == lookup;
}
