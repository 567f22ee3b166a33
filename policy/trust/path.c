#include "path.h"
#include "moment.h"
#include "twin.h"
#include <openssl/x509v3.h>

struct walk {
    const struct tg_path_sources *sources;
    tg_path_visit *visit;
    void *arg;
    STACK_OF(X509) *path;    /* the path being tried; borrows its certificates */
    STACK_OF(X509) *longest; /* the first of the longest without an anchor; holds references */
    unsigned steps, checked, attempts;
    struct tg_path_end *end;
};

/* For the order of candidates alone, at a fourth of what X509_cmp_time(3) costs. */
static bool valid_at(const X509 *certificate, time_t when)
{
    time_t from, until;

    return tg_moment_read(X509_get0_notBefore(certificate), &from) && from <= when &&
           tg_moment_read(X509_get0_notAfter(certificate), &until) && until > when;
}

static bool self_signed(X509 *certificate)
{
    return X509_get_extension_flags(certificate) & EXFLAG_SS;
}

static bool same_holder(const X509 *one, const X509 *other)
{
    return X509_NAME_cmp(X509_get_subject_name(one), X509_get_subject_name(other)) == 0 &&
           ASN1_STRING_cmp(X509_get0_pubkey_bitstr(one), X509_get0_pubkey_bitstr(other)) == 0;
}

/* The same certificate, or another for the same name and key: passing it again gains nothing. */
static bool on_path(const STACK_OF(X509) *path, const X509 *certificate)
{
    for (int i = 0; i < sk_X509_num(path); i++)
        if (same_holder(sk_X509_value(path, i), certificate))
            return true;
    return false;
}

static int visit(struct walk *walk, bool anchored)
{
    unsigned length = (unsigned)sk_X509_num(walk->path);

    if (walk->attempts >= TG_PATH_MAX_ATTEMPTS || walk->checked + length > TG_PATH_MAX_CHECKED) {
        walk->end->spent = true;
        return 0;
    }
    walk->attempts++;
    walk->checked += length;
    return walk->visit(walk->arg, walk->path, anchored);
}

static int keep_longest(struct walk *walk)
{
    if (walk->longest != NULL && sk_X509_num(walk->longest) >= sk_X509_num(walk->path))
        return 0;
    sk_X509_pop_free(walk->longest, X509_free);
    walk->longest = X509_chain_up_ref(walk->path);
    return walk->longest == NULL ? -1 : 0;
}

static int extend(struct walk *walk);

/* Goes on with NEXT as the issuer of the path's end; ENDS says that it is an anchor. */
static int step(struct walk *walk, X509 *next, bool ends)
{
    int found;

    if (walk->steps >= TG_PATH_MAX_STEPS || sk_X509_num(walk->path) >= TG_PATH_MAX_LENGTH) {
        walk->end->spent = true;
        return 0;
    }
    walk->steps++;
    if (!sk_X509_push(walk->path, next))
        return -1;
    found = ends ? visit(walk, true) : extend(walk);
    sk_X509_pop(walk->path);
    return found;
}

/* True if NEXT can have issued END; if only its key usage speaks against it, that is noted. */
static bool issued(struct walk *walk, X509 *next, X509 *end)
{
    int error = X509_check_issued(next, end);

    if (error == X509_V_ERR_KEYUSAGE_NO_CERTSIGN && walk->end->unfit == NULL && X509_up_ref(next)) {
        walk->end->unfit = next;
        walk->end->unfit_depth = sk_X509_num(walk->path);
    }
    return error == X509_V_OK;
}

/*
 * 1 if one of CERTIFICATES is WANTED, 0 if none, and -1 if it, or one that says the same (twin.h),
 * or without it another for its name and key, carries a setting that rejects it for TLS servers
 * (x509(1), -addreject), which a copy that was sent doesn't.
 */
static int holds(const STACK_OF(X509) *certificates, const X509 *wanted)
{
    bool held = false, barred = false;

    for (int i = 0; i < sk_X509_num(certificates); i++) {
        X509 *one = sk_X509_value(certificates, i);
        bool same = X509_cmp(one, wanted) == 0;

        if (!same && !same_holder(one, wanted))
            continue;
        if (X509_check_trust(one, X509_TRUST_SSL_SERVER, 0) != X509_TRUST_REJECTED)
            held = held || same;
        else if (same || tg_twin_same(one, wanted))
            return -1;
        else
            barred = true;
    }
    return held ? 1 : barred ? -1 : 0;
}

static int store_holds(X509_STORE_CTX *store, const X509 *wanted)
{
    STACK_OF(X509) *found = NULL;
    int held;

    if (store == NULL)
        return 0;
    found = X509_STORE_CTX_get_lookup_certs(store)(store, X509_get_subject_name(wanted));
    held = holds(found, wanted);
    sk_X509_pop_free(found, X509_free);
    return held;
}

/* Trusted first, as in X509_verify_cert(3): no copy of what a trusted source rejects helps. */
static bool rejected(const struct tg_path_sources *from, const X509 *certificate)
{
    return holds(from->anchors, certificate) < 0 || store_holds(from->system, certificate) < 0 ||
           store_holds(from->app, certificate) < 0;
}

/* True if NEXT, that doesn't end the path, is rejected, which is noted. */
static bool barred(struct walk *walk, X509 *next)
{
    if (!rejected(walk->sources, next))
        return false;
    if (walk->end->rejected == NULL && X509_up_ref(next)) {
        walk->end->rejected = next;
        walk->end->rejected_depth = sk_X509_num(walk->path);
    }
    return true;
}

/*
 * Tries each of CANDIDATES that can have issued the path's end and is VALID now, or isn't.
 * What comes from a store of the application's that doesn't take every certificate for an
 * anchor (ANY false) ends the path only where it is self-signed, as in X509_verify_cert(3).
 */
static int try_candidates(struct walk *walk, const STACK_OF(X509) *candidates, bool trusted,
                          bool any, bool valid)
{
    X509 *end = sk_X509_value(walk->path, sk_X509_num(walk->path) - 1);
    int found = 0;

    for (int i = 0; found == 0 && i < sk_X509_num(candidates); i++) {
        X509 *next = sk_X509_value(candidates, i);
        bool ends = trusted && (any || self_signed(next));

        if (X509_NAME_cmp(X509_get_subject_name(next), X509_get_issuer_name(end)) != 0 ||
            valid_at(next, walk->sources->when) != valid || on_path(walk->path, next) ||
            !issued(walk, next, end) || (!ends && barred(walk, next)))
            continue;
        found = step(walk, next, ends);
    }
    return found;
}

static int try_store(struct walk *walk, X509_STORE_CTX *store, bool any, bool valid)
{
    const X509 *end = sk_X509_value(walk->path, sk_X509_num(walk->path) - 1);
    STACK_OF(X509) *candidates = NULL;
    int found;

    if (store == NULL)
        return 0;
    candidates = X509_STORE_CTX_get_lookup_certs(store)(store, X509_get_issuer_name(end));
    found = try_candidates(walk, candidates, true, any, valid);
    sk_X509_pop_free(candidates, X509_free);
    return found;
}

/* Trusted certificates first, and of each source those that are valid at the time asked for. */
static int try_all(struct walk *walk, bool valid)
{
    const struct tg_path_sources *from = walk->sources;
    int found = try_candidates(walk, from->anchors, true, true, valid);

    if (found == 0)
        found = try_store(walk, from->system, true, valid);
    if (found == 0)
        found = try_store(walk, from->app, from->app_partial, valid);
    if (found == 0)
        found = try_candidates(walk, from->sent, false, false, valid);
    if (found == 0)
        found = try_candidates(walk, from->intermediates, false, false, valid);
    return found;
}

static int extend(struct walk *walk)
{
    unsigned steps = walk->steps;
    int found = try_all(walk, true);

    if (found == 0)
        found = try_all(walk, false);
    if (found == 0 && walk->steps == steps)
        found = keep_longest(walk);
    return found;
}

/* Only a leaf can be an anchor unnoticed: any other is found as an issuer first. */
static bool leaf_is_anchor(const struct tg_path_sources *from, X509 *leaf)
{
    return !rejected(from, leaf) &&
           (holds(from->anchors, leaf) > 0 || store_holds(from->system, leaf) > 0 ||
            ((from->app_partial || self_signed(leaf)) && store_holds(from->app, leaf) > 0));
}

static bool misfit_among(const STACK_OF(X509) *certificates, X509 *end, bool *key)
{
    for (int i = 0; i < sk_X509_num(certificates); i++) {
        X509 *one = sk_X509_value(certificates, i);
        int error;

        if (X509_NAME_cmp(X509_get_subject_name(one), X509_get_issuer_name(end)) != 0 ||
            X509_cmp(one, end) == 0)
            continue;
        error = X509_check_issued(one, end);
        *key = error == X509_V_ERR_AKID_SKID_MISMATCH;
        if (*key || error == X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH)
            return true;
    }
    return false;
}

static bool misfit_in(X509_STORE_CTX *store, X509 *end, bool *key)
{
    STACK_OF(X509) *found = NULL;
    bool misfit;

    if (store == NULL)
        return false;
    found = X509_STORE_CTX_get_lookup_certs(store)(store, X509_get_issuer_name(end));
    misfit = misfit_among(found, end, key);
    sk_X509_pop_free(found, X509_free);
    return misfit;
}

bool tg_path_misfit(const struct tg_path_sources *from, X509 *end, bool *key)
{
    return misfit_among(from->anchors, end, key) || misfit_in(from->system, end, key) ||
           misfit_in(from->app, end, key) || misfit_among(from->sent, end, key) ||
           misfit_among(from->intermediates, end, key);
}

static int walk_longest(struct walk *walk)
{
    STACK_OF(X509) *path = walk->path;
    int found;

    if (walk->longest == NULL)
        return 0;
    walk->path = walk->longest;
    walk->attempts = walk->checked = 0;
    found = visit(walk, false);
    walk->path = path;
    return found;
}

int tg_path_walk(const struct tg_path_sources *sources, X509 *leaf, tg_path_visit *visitor,
                 void *arg, struct tg_path_end *end)
{
    struct walk walk = {.sources = sources, .visit = visitor, .arg = arg, .end = end};
    int found = -1;

    *end = (struct tg_path_end){.spent = false};
    walk.path = sk_X509_new_reserve(NULL, TG_PATH_MAX_LENGTH);
    if (walk.path == NULL || !sk_X509_push(walk.path, leaf))
        goto end;
    found = extend(&walk);
    if (found == 0 && leaf_is_anchor(sources, leaf))
        found = visit(&walk, true);
    if (found == 0 && walk.attempts == 0)
        found = walk_longest(&walk);
end:
    sk_X509_free(walk.path);
    sk_X509_pop_free(walk.longest, X509_free);
    return found;
}
