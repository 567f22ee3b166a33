#include "attached.h"
#include "missed.h"
#include "once.h"
#include "pool.h"
#include "share.h"
#include "supply.h"
#include "turn.h"
#include <errno.h>

/* What is kept of a store: an item of the pool, from the store's beginning to its end. */
struct attached {
    tg_turn turn;
    struct tg_supply supply;
    X509_LOOKUP *files;
    atomic_bool hooked; /* our hooks are the store's */
    atomic_bool closed; /* nothing is attached any more */
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
    attached->supply.end = &attached->supply.first;
    if (!crypto->CRYPTO_set_ex_data(data, index, attached))
        tg_pool_give(&pool, attached);
}

/* CRYPTO_EX_free of X509_STORE; POINTER may be another's. */
static void end(void *store, void *pointer, CRYPTO_EX_DATA *data, int index, long number,
                void *library)
{
    struct attached *attached = tg_pool_item(&pool, pointer, store);

    (void)data, (void)index, (void)number, (void)library;
    if (attached == NULL)
        return;
    tg_supply_free(&attached->supply);
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

/*
 * ---- one thread at a time ----------------------------------------------------------------------
 *
 * Whoever has its turn may wait for the store's own lock. A program that has locked the store has
 * ended what is kept of it before, and waits for no turn from then on.
 */

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

bool tg_attached_bring(const struct tg_storelib *lib, X509_STORE *store)
{
    struct attached *attached = find(lib, store);
    struct guard guard;
    bool brought;

    if (attached == NULL || attached->supply.pending == 0 || !enter(attached, &guard))
        return true;
    brought = tg_supply_all(&attached->supply, lib, store);
    leave(attached, &guard);
    return brought;
}

bool tg_attached_bring_name(const struct tg_storelib *lib, X509_STORE *store, const X509_NAME *name)
{
    struct attached *attached = find(lib, store);
    struct guard guard;
    bool brought;

    if (attached == NULL || attached->supply.pending == 0 || !enter(attached, &guard))
        return true;
    brought = tg_supply_name(&attached->supply, lib, store, name);
    tg_supply_searched(&attached->supply);
    leave(attached, &guard);
    if (!brought)
        tg_missed_note();
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

/* All is in the store, and nothing more will be attached. */
static bool has_ended(const struct attached *attached)
{
    return attached->closed && !attached->hooked;
}

bool tg_attached_end(const struct tg_storelib *lib, X509_STORE *store)
{
    struct attached *attached = find(lib, store);
    struct guard guard;
    bool brought;

    if (attached == NULL || has_ended(attached) || !enter(attached, &guard))
        return true;
    brought = tg_supply_all(&attached->supply, lib, store);
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
    X509_LOOKUP *files = lib->X509_STORE_add_lookup(store, lib->X509_LOOKUP_file());

    if (files == NULL || attached->closed || !set_hooks(lib, store, attached))
        return false;
    attached->files = files;
    return tg_supply_append(&attached->supply, lib, store, bundle);
}

size_t tg_attached_load(const struct tg_storelib *lib, X509_STORE *store, const char *file)
{
    struct attached *attached = find(lib, store);
    const struct tg_bundle *bundle = NULL;
    struct guard guard;
    size_t count;
    bool done;

    if (attached == NULL || attached->closed || file == NULL || !is_global_default(lib))
        return 0;
    bundle = tg_share_take(file);
    if (bundle == NULL)
        return 0;
    count = tg_bundle_count(bundle);
    /* As decoding any of it would have done. */
    (void)lib->OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
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
    return count;
}

int tg_attached_add(const struct tg_storelib *lib, X509_STORE *store, X509 *certificate)
{
    struct attached *attached = find(lib, store);
    struct guard guard;
    int added;

    if (attached == NULL || attached->supply.pending == 0 || certificate == NULL ||
        !enter(attached, &guard))
        return lib->X509_STORE_add_cert(store, certificate);
    added = tg_supply_add(&attached->supply, lib, store, certificate);
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
