/*
 * bundles.c - the interposed functions of libcrypto that load a file into an X509_STORE, whose
 * certificates the engine then decodes on demand; and all that would see that they aren't there
 * yet. Without a policy, for the engine and for libcrypto's own calls of itself, nothing but the
 * real function is called.
 */
#include "loaded.h"
#include "ssl.h"
#include <openssl/cmp.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Of later versions than 3.0. */
TG_API STACK_OF(X509_OBJECT) *X509_STORE_get1_objects(X509_STORE *store);
TG_API int OSSL_CMP_CTX_set0_trusted(OSSL_CMP_CTX *context, X509_STORE *store);

/* Where an engine's own call goes on. */
enum own { OWN_PASSES, OWN_TOO };

/* What the engine does with the stores of TARGET's library, for its caller; NULL: nothing. */
static const struct tg_inject_stores *stores_of(const struct tg_crypto_target *target, enum own own)
{
    const struct link_map *caller = target->caller;

    if (target->function == NULL ||
        (caller != NULL &&
         (caller == target->object || (own == OWN_PASSES && caller == tg_engine_object()))))
        return NULL;
    return tg_engine_stores();
}

/* The real function NAME, and what the engine does beforehand. */
#define BEGIN(symbol, name) BEGIN_FOR(symbol, name, OWN_PASSES)
#define BEGIN_FOR(symbol, name, own)                                                               \
    const struct tg_crypto_target target = tg_resolve_crypto(symbol, CALLER);                      \
    void *address = target.function;                                                               \
    __typeof__(&(name)) real = address;                                                            \
    const struct tg_inject_stores *stores = stores_of(&target, own)

/* A program may make stores long before its first SSL_CTX, or never one: `openssl verify`. */
static bool is_openssl_3(const struct link_map *object)
{
    struct tg_elf elf;

    return object != NULL && tg_elf_open(&elf, object->l_addr, object->l_ld) &&
           tg_elf_definition(&elf, "OSSL_LIB_CTX_new") != NULL;
}

TG_API X509_STORE *X509_STORE_new(void)
{
    const struct tg_crypto_target target = tg_resolve_crypto(TG_X509_STORE_NEW, CALLER);
    void *address = target.function;
    __typeof__(&X509_STORE_new) real = address;

    if (real == NULL)
        return NULL;
    if (target.caller != target.object && target.caller != tg_engine_object() &&
        is_openssl_3(target.object))
        tg_engine_begin_stores(address, target.object);
    return real();
}

/* ---- what loads a file ---------------------------------------------------------------------- */

/* The real function is to load something: what is there already stands before it. */
static bool make_way(const struct tg_inject_stores *stores, void *address, X509_STORE *store)
{
    return stores == NULL || stores->reveal(address, store);
}

static bool make_way_behind(const struct tg_inject_stores *stores, void *address,
                            const X509_LOOKUP *lookup)
{
    return stores == NULL || stores->look_up(address, lookup);
}

TG_API int X509_STORE_load_file_ex(X509_STORE *store, const char *file, OSSL_LIB_CTX *library,
                                   const char *query)
{
    BEGIN(TG_X509_STORE_LOAD_FILE_EX, X509_STORE_load_file_ex);

    if (stores != NULL && library == NULL && query == NULL && stores->load(address, store, file))
        return 1;
    return real != NULL && make_way(stores, address, store) ? real(store, file, library, query) : 0;
}

TG_API int X509_STORE_load_file(X509_STORE *store, const char *file)
{
    BEGIN_FOR(TG_X509_STORE_LOAD_FILE, X509_STORE_load_file, OWN_TOO); /* for `anchors = system` */

    if (stores != NULL && stores->load(address, store, file))
        return 1;
    return real != NULL && make_way(stores, address, store) ? real(store, file) : 0;
}

TG_API int X509_STORE_load_locations_ex(X509_STORE *store, const char *file, const char *path,
                                        OSSL_LIB_CTX *library, const char *query)
{
    BEGIN(TG_X509_STORE_LOAD_LOCATIONS_EX, X509_STORE_load_locations_ex);
    bool loaded = stores != NULL && library == NULL && query == NULL && file != NULL &&
                  stores->load(address, store, file);

    if (loaded && path == NULL)
        return 1;
    if (!loaded && file != NULL && !make_way(stores, address, store))
        return 0;
    return real != NULL ? real(store, loaded ? NULL : file, path, library, query) : 0;
}

TG_API int X509_STORE_load_locations(X509_STORE *store, const char *file, const char *path)
{
    BEGIN(TG_X509_STORE_LOAD_LOCATIONS, X509_STORE_load_locations);
    bool loaded = stores != NULL && file != NULL && stores->load(address, store, file);

    if (loaded && path == NULL)
        return 1;
    if (!loaded && file != NULL && !make_way(stores, address, store))
        return 0;
    return real != NULL ? real(store, loaded ? NULL : file, path) : 0;
}

TG_API int X509_STORE_set_default_paths_ex(X509_STORE *store, OSSL_LIB_CTX *library,
                                           const char *query)
{
    BEGIN(TG_X509_STORE_SET_DEFAULT_PATHS_EX, X509_STORE_set_default_paths_ex);
    int result = 0;

    if (stores != NULL && library == NULL && query == NULL &&
        stores->load_default(address, store, &result))
        return result;
    return real != NULL && make_way(stores, address, store) ? real(store, library, query) : 0;
}

TG_API int X509_STORE_set_default_paths(X509_STORE *store)
{
    BEGIN_FOR(TG_X509_STORE_SET_DEFAULT_PATHS, X509_STORE_set_default_paths,
              OWN_TOO); /* for `anchors = system` */
    int result = 0;

    if (stores != NULL && stores->load_default(address, store, &result))
        return result;
    return real != NULL && make_way(stores, address, store) ? real(store) : 0;
}

/*
 * What is only to be looked into later, for the subject that is wanted: a folder, and the store
 * that is meant where none is named, if it is one (`openssl verify` has it).
 */
static bool loads_later(int command, const char *place)
{
    const char *folder = secure_getenv("SSL_CERT_DIR");
    struct stat status;

    if (command != X509_L_ADD_STORE || place != NULL)
        return command == X509_L_ADD_DIR;
    return folder == NULL || (stat(folder, &status) == 0 && S_ISDIR(status.st_mode));
}

TG_API int X509_LOOKUP_ctrl_ex(X509_LOOKUP *lookup, int command, const char *file, long type,
                               char **out, OSSL_LIB_CTX *library, const char *query)
{
    BEGIN(TG_X509_LOOKUP_CTRL_EX, X509_LOOKUP_ctrl_ex);

    if (stores != NULL && library == NULL && query == NULL &&
        stores->control(address, lookup, command, file, type))
        return 1;
    if (!loads_later(command, file) && !make_way_behind(stores, address, lookup))
        return 0;
    return real != NULL ? real(lookup, command, file, type, out, library, query) : 0;
}

TG_API int X509_LOOKUP_ctrl(X509_LOOKUP *lookup, int command, const char *file, long type,
                            char **out)
{
    BEGIN(TG_X509_LOOKUP_CTRL, X509_LOOKUP_ctrl);

    if (stores != NULL && stores->control(address, lookup, command, file, type))
        return 1;
    if (!loads_later(command, file) && !make_way_behind(stores, address, lookup))
        return 0;
    return real != NULL ? real(lookup, command, file, type, out) : 0;
}

TG_API int X509_load_cert_crl_file_ex(X509_LOOKUP *lookup, const char *file, int type,
                                      OSSL_LIB_CTX *library, const char *query)
{
    BEGIN(TG_X509_LOAD_CERT_CRL_FILE_EX, X509_load_cert_crl_file_ex);
    int loaded = stores != NULL && library == NULL && query == NULL
                     ? stores->load_lookup(address, lookup, file, type)
                     : 0;

    if (loaded > 0)
        return loaded;
    return real != NULL && make_way_behind(stores, address, lookup)
               ? real(lookup, file, type, library, query)
               : 0;
}

TG_API int X509_load_cert_crl_file(X509_LOOKUP *lookup, const char *file, int type)
{
    BEGIN(TG_X509_LOAD_CERT_CRL_FILE, X509_load_cert_crl_file);
    int loaded = stores != NULL ? stores->load_lookup(address, lookup, file, type) : 0;

    if (loaded > 0)
        return loaded;
    return real != NULL && make_way_behind(stores, address, lookup) ? real(lookup, file, type) : 0;
}

TG_API X509_LOOKUP *X509_STORE_add_lookup(X509_STORE *store, X509_LOOKUP_METHOD *method)
{
    BEGIN(TG_X509_STORE_ADD_LOOKUP, X509_STORE_add_lookup);
    X509_LOOKUP *lookup = real != NULL ? real(store, method) : NULL;

    if (stores != NULL)
        stores->add_lookup(address, store, method, lookup);
    return lookup;
}

TG_API int X509_STORE_add_cert(X509_STORE *store, X509 *certificate)
{
    BEGIN(TG_X509_STORE_ADD_CERT, X509_STORE_add_cert);
    int result = 0;

    if (stores != NULL && stores->add(address, store, certificate, &result))
        return result;
    return real != NULL ? real(store, certificate) : 0;
}

TG_API int X509_STORE_CTX_init(X509_STORE_CTX *context, X509_STORE *store, X509 *leaf,
                               STACK_OF(X509) *sent)
{
    BEGIN(TG_X509_STORE_CTX_INIT, X509_STORE_CTX_init);

    if (stores != NULL)
        stores->use(address, store);
    return real != NULL ? real(context, store, leaf, sent) : 0;
}

/* ---- what looks into a store, or adds to it in another way ---------------------------------- */

/*
 * A function that is called once all is there which it could see, as LOOK of WHAT says; it returns
 * FAILED where there is no memory for that.
 */
#define AFTER(symbol, result, name, parameters, arguments, look, what, failed)                     \
    TG_API result name parameters                                                                  \
    {                                                                                              \
        BEGIN(symbol, name);                                                                       \
                                                                                                   \
        if (real == NULL || (stores != NULL && !stores->look what))                                \
            return failed;                                                                         \
        return real arguments;                                                                     \
    }

AFTER(TG_X509_LOAD_CERT_FILE, int, X509_load_cert_file,
      (X509_LOOKUP * lookup, const char *file, int type), (lookup, file, type), look_up,
      (address, lookup), 0)
AFTER(TG_X509_LOAD_CERT_FILE_EX, int, X509_load_cert_file_ex,
      (X509_LOOKUP * lookup, const char *file, int type, OSSL_LIB_CTX *library, const char *query),
      (lookup, file, type, library, query), look_up, (address, lookup), 0)
AFTER(TG_X509_LOAD_CRL_FILE, int, X509_load_crl_file,
      (X509_LOOKUP * lookup, const char *file, int type), (lookup, file, type), look_up,
      (address, lookup), 0)
AFTER(TG_X509_LOOKUP_BY_SUBJECT, int, X509_LOOKUP_by_subject,
      (X509_LOOKUP * lookup, X509_LOOKUP_TYPE type, const X509_NAME *name, X509_OBJECT *out),
      (lookup, type, name, out), look_up, (address, lookup), 0)
AFTER(TG_X509_LOOKUP_BY_SUBJECT_EX, int, X509_LOOKUP_by_subject_ex,
      (X509_LOOKUP * lookup, X509_LOOKUP_TYPE type, const X509_NAME *name, X509_OBJECT *out,
       OSSL_LIB_CTX *library, const char *query),
      (lookup, type, name, out, library, query), look_up, (address, lookup), 0)

AFTER(TG_X509_STORE_LOAD_STORE, int, X509_STORE_load_store, (X509_STORE * store, const char *place),
      (store, place), reveal, (address, store), 0)
AFTER(TG_X509_STORE_LOAD_STORE_EX, int, X509_STORE_load_store_ex,
      (X509_STORE * store, const char *place, OSSL_LIB_CTX *library, const char *query),
      (store, place, library, query), reveal, (address, store), 0)
AFTER(TG_X509_STORE_ADD_CRL, int, X509_STORE_add_crl, (X509_STORE * store, X509_CRL *crl),
      (store, crl), look, (address, store), 0)
AFTER(TG_X509_STORE_LOCK, int, X509_STORE_lock, (X509_STORE * store), (store), reveal,
      (address, store), 0)
AFTER(TG_X509_STORE_GET0_OBJECTS, STACK_OF(X509_OBJECT) *, X509_STORE_get0_objects,
      (const X509_STORE *store), (store), reveal, (address, (X509_STORE *)store), NULL)
AFTER(TG_X509_STORE_GET1_OBJECTS, STACK_OF(X509_OBJECT) *, X509_STORE_get1_objects,
      (X509_STORE * store), (store), look, (address, store), NULL)
AFTER(TG_X509_STORE_GET1_ALL_CERTS, STACK_OF(X509) *, X509_STORE_get1_all_certs,
      (X509_STORE * store), (store), look, (address, store), NULL)
AFTER(TG_X509_STORE_GET_GET_ISSUER, X509_STORE_CTX_get_issuer_fn, X509_STORE_get_get_issuer,
      (const X509_STORE *store), (store), reveal, (address, (X509_STORE *)store), NULL)
AFTER(TG_X509_STORE_GET_LOOKUP_CERTS, X509_STORE_CTX_lookup_certs_fn, X509_STORE_get_lookup_certs,
      (const X509_STORE *store), (store), reveal, (address, (X509_STORE *)store), NULL)
AFTER(TG_OSSL_CMP_CTX_SET0_TRUSTEDSTORE, int, OSSL_CMP_CTX_set0_trustedStore,
      (OSSL_CMP_CTX * context, X509_STORE *store), (context, store), reveal, (address, store), 0)
AFTER(TG_OSSL_CMP_CTX_SET0_TRUSTED, int, OSSL_CMP_CTX_set0_trusted,
      (OSSL_CMP_CTX * context, X509_STORE *store), (context, store), reveal, (address, store), 0)

AFTER(TG_X509_STORE_CTX_GET_BY_SUBJECT, int, X509_STORE_CTX_get_by_subject,
      (const X509_STORE_CTX *context, X509_LOOKUP_TYPE type, const X509_NAME *name,
       X509_OBJECT *out),
      (context, type, name, out), look_name, (address, context, name), 0)
AFTER(TG_X509_STORE_CTX_GET_OBJ_BY_SUBJECT, X509_OBJECT *, X509_STORE_CTX_get_obj_by_subject,
      (X509_STORE_CTX * context, X509_LOOKUP_TYPE type, const X509_NAME *name),
      (context, type, name), look_name, (address, context, name), NULL)
AFTER(TG_X509_STORE_CTX_GET1_CERTS, STACK_OF(X509) *, X509_STORE_CTX_get1_certs,
      (X509_STORE_CTX * context, const X509_NAME *name), (context, name), look_name,
      (address, context, name), NULL)
AFTER(TG_X509_STORE_CTX_GET1_CRLS, STACK_OF(X509_CRL) *, X509_STORE_CTX_get1_crls,
      (const X509_STORE_CTX *context, const X509_NAME *name), (context, name), look_context,
      (address, context), NULL)
AFTER(TG_X509_STORE_CTX_GET1_ISSUER, int, X509_STORE_CTX_get1_issuer,
      (X509 * *issuer, X509_STORE_CTX *context, X509 *certificate), (issuer, context, certificate),
      look_issuer, (address, context, certificate), -1)

/* libcrypto calls it, as the callback that it is. */
TG_API int X509_STORE_CTX_print_verify_cb(int good, X509_STORE_CTX *context)
{
    void *address = tg_resolve_crypto(TG_X509_STORE_CTX_PRINT_VERIFY_CB, CALLER).function;
    __typeof__(&X509_STORE_CTX_print_verify_cb) real = address;
    const struct tg_inject_stores *stores = tg_engine_stores();

    if (real == NULL || (stores != NULL && !stores->look_context(address, context)))
        return 0;
    return real(good, context);
}

/* ---- the store's own hooks, which are ours ----------------------------------------------------
 */

TG_API void X509_STORE_set_get_issuer(X509_STORE *store, X509_STORE_CTX_get_issuer_fn hook)
{
    BEGIN(TG_X509_STORE_SET_GET_ISSUER, X509_STORE_set_get_issuer);

    if (stores != NULL)
        (void)stores->reveal(address, store); /* what isn't in by now comes in later */
    if (real != NULL)
        real(store, hook);
}

TG_API void X509_STORE_set_lookup_certs(X509_STORE *store, X509_STORE_CTX_lookup_certs_fn hook)
{
    BEGIN(TG_X509_STORE_SET_LOOKUP_CERTS, X509_STORE_set_lookup_certs);

    if (stores != NULL)
        (void)stores->reveal(address, store); /* what isn't in by now comes in later */
    if (real != NULL)
        real(store, hook);
}

TG_API X509_STORE_CTX_get_issuer_fn X509_STORE_CTX_get_get_issuer(const X509_STORE_CTX *context)
{
    BEGIN(TG_X509_STORE_CTX_GET_GET_ISSUER, X509_STORE_CTX_get_get_issuer);
    X509_STORE_CTX_get_issuer_fn found = real != NULL ? real(context) : NULL;

    if (stores != NULL && stores->look_context(address, context))
        found = stores->show_get_issuer(address, found);
    /* The program knows libcrypto's own by the name of our wrapper. */
    return (void *)found == tg_resolve_crypto(TG_X509_STORE_CTX_GET1_ISSUER, CALLER).function
               ? X509_STORE_CTX_get1_issuer
               : found;
}

TG_API X509_STORE_CTX_lookup_certs_fn X509_STORE_CTX_get_lookup_certs(const X509_STORE_CTX *context)
{
    BEGIN(TG_X509_STORE_CTX_GET_LOOKUP_CERTS, X509_STORE_CTX_get_lookup_certs);
    X509_STORE_CTX_lookup_certs_fn found = real != NULL ? real(context) : NULL;

    if (stores != NULL && stores->look_context(address, context))
        found = stores->show_lookup_certs(address, found);
    /* The program knows libcrypto's own by the name of our wrapper. */
    return (void *)found == tg_resolve_crypto(TG_X509_STORE_CTX_GET1_CERTS, CALLER).function
               ? X509_STORE_CTX_get1_certs
               : found;
}

TG_API X509_STORE_CTX_lookup_crls_fn X509_STORE_CTX_get_lookup_crls(const X509_STORE_CTX *context)
{
    __typeof__(&X509_STORE_CTX_get_lookup_crls) real =
        tg_resolve_crypto(TG_X509_STORE_CTX_GET_LOOKUP_CRLS, CALLER).function;
    X509_STORE_CTX_lookup_crls_fn found = real != NULL ? real(context) : NULL;

    return (void *)found == tg_resolve_crypto(TG_X509_STORE_CTX_GET1_CRLS, CALLER).function
               ? X509_STORE_CTX_get1_crls
               : found;
}

/* ---- for the engine, whose own calls come here too --------------------------------------------
 */

TG_API void *tg_preload_real(const char *name, const void *caller)
{
#define ROW(symbol, function) symbol,
    static const enum tg_symbol symbols[] = {TG_STORE_SYMBOLS(ROW) TG_ERROR_SYMBOLS(ROW)};
#undef ROW

    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
        if (strcmp(tg_symbol_name(symbols[i]), name) == 0)
            return tg_resolve_crypto(symbols[i], caller).function;
    return NULL;
}
