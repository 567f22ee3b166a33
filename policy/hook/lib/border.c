#include "border.h"
#include "process.h"
#include <openssl/evp.h>
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

X509 *tg_border_read(const unsigned char *der, size_t size)
{
    const unsigned char *end = der;
    X509 *certificate = d2i_X509(NULL, &end, (long)size);

    if (certificate != NULL && end == der + size)
        return certificate;
    X509_free(certificate);
    return NULL;
}

X509 *tg_border_import(const struct tg_foundation *library, X509 *theirs)
{
    unsigned char *der = NULL;
    X509 *certificate = NULL;
    size_t size = 0;

    if (!library->foreign)
        return X509_up_ref(theirs) ? theirs : NULL;
    der = ENCODED(library->crypto.i2d_X509, theirs, &size);
    if (der != NULL)
        certificate = tg_border_read(der, size);
    free(der);
    return certificate;
}

STACK_OF(X509) *tg_border_import_all(const struct tg_foundation *library, const void *theirs)
{
    STACK_OF(X509) *all = sk_X509_new_null();

    for (int i = 0; all != NULL && i < library->crypto.OPENSSL_sk_num(theirs); i++) {
        X509 *one = tg_border_import(library, library->crypto.OPENSSL_sk_value(theirs, (size_t)i));

        if (one == NULL || !sk_X509_push(all, one)) {
            X509_free(one);
            sk_X509_pop_free(all, X509_free);
            return NULL;
        }
    }
    return all;
}

static X509 *export(const struct tg_foundation *library, X509 *ours)
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

void tg_border_free(const struct tg_foundation *library, void *path)
{
    for (int i = 0; path != NULL && i < library->crypto.OPENSSL_sk_num(path); i++)
        library->crypto.X509_free(library->crypto.OPENSSL_sk_value(path, (size_t)i));
    library->crypto.OPENSSL_sk_free(path);
}

void *tg_border_export_path(const struct tg_foundation *library, X509 *theirs,
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
            tg_border_free(library, made);
            return NULL;
        }
    }
    return made;
}

bool tg_border_digest(const struct tg_foundation *library, X509 *theirs,
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
struct ware {
    encoder *encode; /* theirs */
    void *(*decode)(void **, const unsigned char **, long);
    void (*release)(void *);        /* ours */
    void (*release_theirs)(void *); /* theirs */
};

/* Brings FOUND (a stack of theirs, which is freed) over. What can't be read counts as missing,
 * and makes the evaluation void. */
static OPENSSL_STACK *bring(struct tg_shown *shown, void *found, const struct ware *ware)
{
    const struct tg_libcrypto *crypto = &shown->library->crypto;
    OPENSSL_STACK *brought = OPENSSL_sk_new_null();

    shown->failed = shown->failed || brought == NULL;
    for (int i = 0; found != NULL && i < crypto->OPENSSL_sk_num(found); i++) {
        void *theirs = crypto->OPENSSL_sk_value(found, (size_t)i), *ours = NULL;
        size_t size = 0;
        unsigned char *der = encoded(ware->encode, theirs, &size);
        const unsigned char *end = der;

        if (der != NULL)
            ours = ware->decode(NULL, &end, (long)size);
        if (ours == NULL || brought == NULL || !OPENSSL_sk_push(brought, ours)) {
            ware->release(ours);
            shown->failed = true;
        }
        free(der);
        ware->release_theirs(theirs);
    }
    crypto->OPENSSL_sk_free(found);
    return brought;
}

/* With the settings that a store's certificates carry (x509(1), -addreject). */
static STACK_OF(X509) *lookup_certs(X509_STORE_CTX *context, const X509_NAME *name)
{
    struct tg_shown *shown = X509_STORE_CTX_get_app_data(context);
    const struct tg_libcrypto *crypto = &shown->library->crypto;
    struct ware ware = {
        .encode = (encoder *)crypto->i2d_X509_AUX,
        .decode = (void *(*)(void **, const unsigned char **, long))d2i_X509_AUX,
        .release = (void (*)(void *))X509_free,
        .release_theirs = (void (*)(void *))crypto->X509_free,
    };
    X509_NAME *theirs = export_name(crypto, name);
    void *found = NULL;

    if (theirs == NULL)
        shown->failed = true;
    else if (shown->library->kind == TG_BORINGSSL)
        found = crypto->X509_STORE_CTX_get1_certs(shown->theirs, theirs);
    else
        found = crypto->X509_STORE_CTX_get_lookup_certs(shown->theirs)(shown->theirs, theirs);
    crypto->X509_NAME_free(theirs);
    return (STACK_OF(X509) *)bring(shown, found, &ware);
}

static STACK_OF(X509_CRL) *lookup_crls(const X509_STORE_CTX *context, const X509_NAME *name)
{
    struct tg_shown *shown = X509_STORE_CTX_get_app_data(context);
    const struct tg_libcrypto *crypto = &shown->library->crypto;
    struct ware ware = {
        .encode = (encoder *)crypto->i2d_X509_CRL,
        .decode = (void *(*)(void **, const unsigned char **, long))d2i_X509_CRL,
        .release = (void (*)(void *))X509_CRL_free,
        .release_theirs = (void (*)(void *))crypto->X509_CRL_free,
    };
    X509_NAME *theirs = export_name(crypto, name);
    void *found = NULL;

    if (theirs == NULL)
        shown->failed = true;
    else if (shown->library->kind == TG_BORINGSSL)
        found = crypto->X509_STORE_CTX_get1_crls(shown->theirs, theirs);
    else
        found = crypto->X509_STORE_CTX_get_lookup_crls(shown->theirs)(shown->theirs, theirs);
    crypto->X509_NAME_free(theirs);
    return (STACK_OF(X509_CRL) *)bring(shown, found, &ware);
}

/* Which policies these flags are about can't be read in theirs. */
#define ABOUT_POLICIES                                                                             \
    (X509_V_FLAG_POLICY_CHECK | X509_V_FLAG_EXPLICIT_POLICY | X509_V_FLAG_INHIBIT_ANY |            \
     X509_V_FLAG_INHIBIT_MAP)

static void tell_policies(X509_STORE_CTX *app)
{
    static bool said;

    if ((X509_VERIFY_PARAM_get_flags(X509_STORE_CTX_get0_param(app)) & ABOUT_POLICIES) != 0 &&
        !__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
        tg_log_complain(TG_ORIGIN_ENVIRONMENT,
                        "the certificate policies that this program asks its libcrypto for are "
                        "not carried over");
}

static bool show_context(struct tg_shown *shown)
{
    X509_STORE *store = X509_STORE_new();
    const struct tg_foundation *library = shown->library;
    bool made;

    shown->poisoned = tg_param_poisoned(&library->layout,
                                        library->crypto.X509_STORE_CTX_get0_param(shown->theirs));
    shown->app = X509_STORE_CTX_new();
    if (store != NULL) {
        X509_STORE_set_lookup_certs(store, lookup_certs);
        X509_STORE_set_lookup_crls(store, lookup_crls);
    }
    made = !shown->poisoned && store != NULL && shown->app != NULL &&
           X509_STORE_CTX_init(shown->app, store, shown->leaf, shown->sent) &&
           X509_STORE_CTX_set_app_data(shown->app, shown) &&
           tg_param_import(&library->crypto, &library->layout,
                           library->crypto.X509_STORE_CTX_get0_param(shown->theirs),
                           X509_STORE_CTX_get0_param(shown->app));
    if (made)
        tell_policies(shown->app);
    /* The context borrows it, as X509_STORE_CTX_init(3) says; it goes with the context. */
    shown->store = store;
    return made;
}

const char *tg_border_reason(const struct tg_shown *shown)
{
    return shown->poisoned ? "a host name, address or e-mail address that the program wanted to be "
                             "verified could not be set"
                           : "the server's certificates can't be read";
}

bool tg_border_show(const struct tg_foundation *library, X509 *leaf, const void *sent,
                    X509_STORE_CTX *context, struct tg_shown *shown)
{
    *shown = (struct tg_shown){.library = library, .theirs = context};
    if (!library->foreign) {
        shown->leaf = leaf;
        shown->sent = (STACK_OF(X509) *)sent;
        shown->app = context;
        return true;
    }
    if (leaf != NULL && (shown->leaf = tg_border_import(library, leaf)) == NULL)
        return false;
    if (sent != NULL && (shown->sent = tg_border_import_all(library, sent)) == NULL)
        return false;
    return context == NULL || show_context(shown);
}

bool tg_border_show_own(const struct tg_foundation *library, STACK_OF(X509) *sent,
                        X509_STORE_CTX *context, struct tg_shown *shown)
{
    X509 *leaf = sk_X509_num(sent) > 0 ? sk_X509_value(sent, 0) : NULL;

    *shown = (struct tg_shown){.library = library, .theirs = context, .sent = sent};
    if (sent == NULL || (leaf != NULL && !X509_up_ref(leaf)))
        return false;
    shown->leaf = leaf;
    return context == NULL || show_context(shown);
}

void tg_border_hide(struct tg_shown *shown)
{
    if (!shown->library->foreign)
        return;
    X509_STORE_CTX_free(shown->app);
    X509_STORE_free(shown->store);
    sk_X509_pop_free(shown->sent, X509_free);
    X509_free(shown->leaf);
}
