#include "ownpath.h"

/* As many are checked for one path: more can only be looked for. */
enum { SIGNATURES = 64 };

bool tg_ownpath_add(STACK_OF(X509) *all, X509 *certificate)
{
    if (!X509_up_ref(certificate))
        return false;
    if (sk_X509_push(all, certificate))
        return true;
    X509_free(certificate);
    return false;
}

static bool is_signed_by(X509 *end, X509 *issuer, unsigned *budget)
{
    if (*budget == 0)
        return false;
    --*budget;
    return X509_verify(end, X509_get0_pubkey(issuer)) == 1;
}

static bool is_current(const X509 *certificate)
{
    return X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
           X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

/* ISSUER is there twice then. */
static bool is_on(const STACK_OF(X509) *path, const X509 *issuer)
{
    for (int i = 0; i < sk_X509_num(path); i++)
        if (sk_X509_value(path, i) == issuer)
            return true;
    return false;
}

static bool ends_at_anchor(const struct tg_query *query, STACK_OF(X509) *path, unsigned *budget)
{
    X509 *end = sk_X509_value(path, sk_X509_num(path) - 1);
    X509_STORE_CTX_lookup_certs_fn lookup = X509_STORE_CTX_get_lookup_certs(query->app);
    STACK_OF(X509) *anchors = lookup(query->app, X509_get_issuer_name(end));
    bool ends = false;

    for (int i = 0; i < sk_X509_num(anchors) && !ends; i++) {
        X509 *one = sk_X509_value(anchors, i);

        ends = is_current(one) && is_signed_by(end, one, budget) && tg_ownpath_add(path, one);
    }
    sk_X509_pop_free(anchors, X509_free);
    return ends;
}

/* Names alone don't tell which of those that were sent the library goes by. */
static bool complete(const struct tg_query *query, STACK_OF(X509) *path, unsigned *budget)
{
    X509 *end = sk_X509_value(path, sk_X509_num(path) - 1);

    if (ends_at_anchor(query, path, budget))
        return true;
    for (int i = 0; i < sk_X509_num(query->sent); i++) {
        X509 *one = sk_X509_value(query->sent, i);

        if (is_on(path, one) ||
            X509_NAME_cmp(X509_get_subject_name(one), X509_get_issuer_name(end)) != 0 ||
            !is_signed_by(end, one, budget) || !tg_ownpath_add(path, one))
            continue;
        if (complete(query, path, budget))
            return true;
        X509_free(sk_X509_pop(path));
    }
    return false;
}

STACK_OF(X509) *tg_ownpath_find(const struct tg_query *query, bool *whole)
{
    STACK_OF(X509) *path = sk_X509_new_null();
    X509 *leaf = query->leaf;
    unsigned budget = SIGNATURES;

    if (path == NULL || leaf == NULL || !tg_ownpath_add(path, leaf)) {
        sk_X509_free(path);
        return NULL;
    }
    *whole = complete(query, path, &budget);
    return path;
}
