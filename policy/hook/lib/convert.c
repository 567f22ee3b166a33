#include "convert.h"
#include "log.h"
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The DER of something of theirs; malloc'd, *SIZE its length. ENCODE is their i2d function. */
#define ENCODED(encode, object, size) encoded((encoder *)(encode), object, size)
typedef int encoder(const void *, unsigned char **);

static unsigned char *encoded(encoder *encode, const void *object, size_t *size)
{
    int length = encode(object, NULL);
    unsigned char *der = length > 0 ? malloc((size_t)length) : NULL, *end = der;

    if (der == NULL)
        return NULL;
    *size = (size_t)encode(object, &end);
    if (end == der + length)
        return der;
    free(der);
    return NULL;
}

X509 *tg_convert_read(const unsigned char *der, size_t size)
{
    const unsigned char *end = der;
    X509 *certificate = d2i_X509(NULL, &end, (long)size);

    if (certificate != NULL && end == der + size)
        return certificate;
    X509_free(certificate);
    return NULL;
}

X509 *tg_convert_import(const struct tg_cryptolib *library, X509 *theirs)
{
    unsigned char *der = NULL;
    X509 *certificate = NULL;
    size_t size = 0;

    if (!library->foreign)
        return X509_up_ref(theirs) ? theirs : NULL;
    der = ENCODED(library->crypto.i2d_X509, theirs, &size);
    if (der != NULL)
        certificate = tg_convert_read(der, size);
    free(der);
    return certificate;
}

STACK_OF(X509) *tg_convert_import_all(const struct tg_cryptolib *library, const void *theirs)
{
    STACK_OF(X509) *all = sk_X509_new_null();

    for (int i = 0; all != NULL && i < library->crypto.OPENSSL_sk_num(theirs); i++) {
        X509 *one = tg_convert_import(library, library->crypto.OPENSSL_sk_value(theirs, (size_t)i));

        if (one == NULL || !sk_X509_push(all, one)) {
            X509_free(one);
            sk_X509_pop_free(all, X509_free);
            return NULL;
        }
    }
    return all;
}

static X509 *export(const struct tg_cryptolib *library, X509 *ours)
{
    unsigned char *der = NULL;
    const unsigned char *end = NULL;
    int size;
    X509 *theirs = NULL;

    if (!library->foreign)
        return X509_up_ref(ours) ? ours : NULL;
    size = i2d_X509(ours, &der);
    end = der;
    if (size > 0)
        theirs = library->crypto.d2i_X509(NULL, &end, size);
    OPENSSL_free(der);
    return theirs;
}

void tg_convert_free(const struct tg_cryptolib *library, void *path)
{
    for (int i = 0; path != NULL && i < library->crypto.OPENSSL_sk_num(path); i++)
        library->crypto.X509_free(library->crypto.OPENSSL_sk_value(path, (size_t)i));
    library->crypto.OPENSSL_sk_free(path);
}

void *tg_convert_export_path(const struct tg_cryptolib *library, X509 *theirs,
                             const STACK_OF(X509) *path)
{
    const struct tg_libcrypto *crypto = &library->crypto;
    void *made = crypto->OPENSSL_sk_new_null();

    for (int i = 0; made != NULL && i < sk_X509_num(path); i++) {
        X509 *one = i > 0                         ? export(library, sk_X509_value(path, i))
                    : crypto->X509_up_ref(theirs) ? theirs
                                                  : NULL;

        if (one == NULL || crypto->OPENSSL_sk_push(made, one) == 0) {
            crypto->X509_free(one);
            tg_convert_free(library, made);
            return NULL;
        }
    }
    return made;
}

bool tg_convert_digest(const struct tg_cryptolib *library, X509 *theirs,
                       uint8_t digest[TG_SHA256_SIZE])
{
    unsigned char *der = NULL;
    size_t size = 0;
    bool made;

    if (!library->foreign)
        return tg_hash_certificate(theirs, digest);
    der = ENCODED(library->crypto.i2d_X509, theirs, &size);
    made = der != NULL && EVP_Digest(der, size, digest, NULL, tg_hash_sha256(), NULL);
    free(der);
    return made;
}

/* ---- the application's context, as one of ours that asks theirs ---------------------------- */

/* Their name for one of ours. */
static X509_NAME *export_name(const struct tg_libcrypto *crypto, const X509_NAME *ours)
{
    unsigned char *der = NULL;
    const unsigned char *end = NULL;
    int size = i2d_X509_NAME(ours, &der);
    X509_NAME *theirs = NULL;

    end = der;
    if (size > 0)
        theirs = crypto->d2i_X509_NAME(NULL, &end, size);
    OPENSSL_free(der);
    return theirs;
}

/* One kind of thing that a store holds. */
struct item_kind {
    encoder *encode; /* theirs */
    void *(*decode)(void **, const unsigned char **, long);
    void (*release)(void *);        /* ours */
    void (*release_theirs)(void *); /* theirs */
};

/* Imports FOUND (a stack of theirs, which is freed). What can't be read counts as missing,
 * and makes the evaluation void. */
static OPENSSL_STACK *import_found(struct tg_presented *presented, void *found,
                                   const struct item_kind *kind)
{
    const struct tg_libcrypto *crypto = &presented->library->crypto;
    OPENSSL_STACK *imported = OPENSSL_sk_new_null();

    presented->failed = presented->failed || imported == NULL;
    for (int i = 0; found != NULL && i < crypto->OPENSSL_sk_num(found); i++) {
        void *theirs = crypto->OPENSSL_sk_value(found, (size_t)i), *ours = NULL;
        size_t size = 0;
        unsigned char *der = encoded(kind->encode, theirs, &size);
        const unsigned char *end = der;

        if (der != NULL)
            ours = kind->decode(NULL, &end, (long)size);
        if (ours == NULL || imported == NULL || !OPENSSL_sk_push(imported, ours)) {
            kind->release(ours);
            presented->failed = true;
        }
        free(der);
        kind->release_theirs(theirs);
    }
    crypto->OPENSSL_sk_free(found);
    return imported;
}

/* With the settings that a store's certificates carry (x509(1), -addreject). */
static STACK_OF(X509) *lookup_certs(X509_STORE_CTX *context, const X509_NAME *name)
{
    struct tg_presented *presented = X509_STORE_CTX_get_app_data(context);
    const struct tg_libcrypto *crypto = &presented->library->crypto;
    struct item_kind kind = {
        .encode = (encoder *)crypto->i2d_X509_AUX,
        .decode = (void *(*)(void **, const unsigned char **, long))d2i_X509_AUX,
        .release = (void (*)(void *))X509_free,
        .release_theirs = (void (*)(void *))crypto->X509_free,
    };
    X509_NAME *theirs = export_name(crypto, name);
    void *found = NULL;

    if (theirs == NULL)
        presented->failed = true;
    else
        found = presented->library->backend->find_certs(crypto, presented->theirs, theirs);
    crypto->X509_NAME_free(theirs);
    return (STACK_OF(X509) *)import_found(presented, found, &kind);
}

static STACK_OF(X509_CRL) *lookup_crls(const X509_STORE_CTX *context, const X509_NAME *name)
{
    struct tg_presented *presented = X509_STORE_CTX_get_app_data(context);
    const struct tg_libcrypto *crypto = &presented->library->crypto;
    struct item_kind kind = {
        .encode = (encoder *)crypto->i2d_X509_CRL,
        .decode = (void *(*)(void **, const unsigned char **, long))d2i_X509_CRL,
        .release = (void (*)(void *))X509_CRL_free,
        .release_theirs = (void (*)(void *))crypto->X509_CRL_free,
    };
    X509_NAME *theirs = export_name(crypto, name);
    void *found = NULL;

    if (theirs == NULL)
        presented->failed = true;
    else
        found = presented->library->backend->find_crls(crypto, presented->theirs, theirs);
    crypto->X509_NAME_free(theirs);
    return (STACK_OF(X509_CRL) *)import_found(presented, found, &kind);
}

/* Which policies these flags are about can't be read in theirs. */
#define ABOUT_POLICIES                                                                             \
    (X509_V_FLAG_POLICY_CHECK | X509_V_FLAG_EXPLICIT_POLICY | X509_V_FLAG_INHIBIT_ANY |            \
     X509_V_FLAG_INHIBIT_MAP)

static void tell_policies(X509_STORE_CTX *app)
{
    static atomic_bool said;

    if ((X509_VERIFY_PARAM_get_flags(X509_STORE_CTX_get0_param(app)) & ABOUT_POLICIES) != 0 &&
        !atomic_exchange_explicit(&said, true, memory_order_relaxed))
        tg_log_complain(TG_ORIGIN_ENVIRONMENT,
                        "the certificate policies that this program asks its libcrypto for are "
                        "not carried over");
}

static bool import_context(struct tg_presented *presented)
{
    X509_STORE *store = X509_STORE_new();
    const struct tg_cryptolib *library = presented->library;
    bool made;

    presented->unverifiable =
        tg_param_problem(&library->crypto, &library->layout,
                         library->crypto.X509_STORE_CTX_get0_param(presented->theirs));
    presented->app = X509_STORE_CTX_new();
    if (store != NULL) {
        X509_STORE_set_lookup_certs(store, lookup_certs);
        X509_STORE_set_lookup_crls(store, lookup_crls);
    }
    made = presented->unverifiable == NULL && store != NULL && presented->app != NULL &&
           X509_STORE_CTX_init(presented->app, store, presented->leaf, presented->sent) &&
           X509_STORE_CTX_set_app_data(presented->app, presented) &&
           tg_param_import(&library->crypto, &library->layout,
                           library->crypto.X509_STORE_CTX_get0_param(presented->theirs),
                           X509_STORE_CTX_get0_param(presented->app));
    if (made)
        tell_policies(presented->app);
    /* The context borrows it, as X509_STORE_CTX_init(3) says; it goes with the context. */
    presented->store = store;
    return made;
}

const char *tg_presented_problem(const struct tg_presented *presented)
{
    return presented->unverifiable != NULL ? presented->unverifiable
                                           : "the server's certificates can't be read";
}

bool tg_presented_import(const struct tg_cryptolib *library, X509 *leaf, const void *sent,
                         X509_STORE_CTX *context, struct tg_presented *presented)
{
    *presented = (struct tg_presented){.library = library, .theirs = context};
    if (!library->foreign) {
        presented->leaf = leaf;
        presented->sent = (STACK_OF(X509) *)sent;
        presented->app = context;
        return true;
    }
    if (leaf != NULL && (presented->leaf = tg_convert_import(library, leaf)) == NULL)
        return false;
    if (sent != NULL && (presented->sent = tg_convert_import_all(library, sent)) == NULL)
        return false;
    return context == NULL || import_context(presented);
}

bool tg_presented_import_own(const struct tg_cryptolib *library, STACK_OF(X509) *sent,
                             X509_STORE_CTX *context, struct tg_presented *presented)
{
    X509 *leaf = sk_X509_num(sent) > 0 ? sk_X509_value(sent, 0) : NULL;

    *presented = (struct tg_presented){.library = library, .theirs = context, .sent = sent};
    if (sent == NULL || (leaf != NULL && !X509_up_ref(leaf)))
        return false;
    presented->leaf = leaf;
    return context == NULL || import_context(presented);
}

void tg_presented_free(struct tg_presented *presented)
{
    if (!presented->library->foreign)
        return;
    X509_STORE_CTX_free(presented->app);
    X509_STORE_free(presented->store);
    sk_X509_pop_free(presented->sent, X509_free);
    X509_free(presented->leaf);
}
