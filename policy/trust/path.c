#include "path.h"
#include "moment.h"
#include <openssl/x509v3.h>

struct walk {
    const struct tg_sources *sources;
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

/* The same certificate, or another for the same name and key: passing it again gains nothing. */
static bool on_path(const STACK_OF(X509) *path, const X509 *certificate)
{
    for (int i = 0; i < sk_X509_num(path); i++)
        if (tg_sources_same_holder(sk_X509_value(path, i), certificate))
            return true;
    return false;
}

static enum tg_walk visit(struct walk *walk, bool anchored)
{
    unsigned length = (unsigned)sk_X509_num(walk->path);

    if (walk->attempts >= TG_PATH_MAX_ATTEMPTS || walk->checked + length > TG_PATH_MAX_CHECKED) {
        walk->end->spent = true;
        return TG_WALK_ON;
    }
    walk->attempts++;
    walk->checked += length;
    return walk->visit(walk->arg, walk->path, anchored);
}

static enum tg_walk keep_longest(struct walk *walk)
{
    if (walk->longest != NULL && sk_X509_num(walk->longest) >= sk_X509_num(walk->path))
        return TG_WALK_ON;
    sk_X509_pop_free(walk->longest, X509_free);
    walk->longest = X509_chain_up_ref(walk->path);
    return walk->longest == NULL ? TG_WALK_FAILED : TG_WALK_ON;
}

static enum tg_walk extend(struct walk *walk);

/* Goes on with NEXT as the issuer of the path's end; ENDS says that it is an anchor. */
static enum tg_walk step(struct walk *walk, X509 *next, bool ends)
{
    enum tg_walk found;

    if (walk->steps >= TG_PATH_MAX_STEPS || sk_X509_num(walk->path) >= TG_PATH_MAX_LENGTH) {
        walk->end->spent = true;
        return TG_WALK_ON;
    }
    walk->steps++;
    if (!sk_X509_push(walk->path, next))
        return TG_WALK_FAILED;
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

/* Trusted first, as in X509_verify_cert(3): true if NEXT, which doesn't end the path, is rejected
 * by an anchor source, which is noted. */
static bool barred(struct walk *walk, X509 *next)
{
    if (!tg_sources_reject(walk->sources, next))
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
static enum tg_walk try_candidates(struct walk *walk, const STACK_OF(X509) *candidates,
                                   bool trusted, bool any, bool valid)
{
    X509 *end = sk_X509_value(walk->path, sk_X509_num(walk->path) - 1);
    enum tg_walk found = TG_WALK_ON;

    for (int i = 0; found == TG_WALK_ON && i < sk_X509_num(candidates); i++) {
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

/* CANDIDATES, which are freed. */
static enum tg_walk try_found(struct walk *walk, STACK_OF(X509) *candidates, bool trusted, bool any,
                              bool valid)
{
    enum tg_walk found = try_candidates(walk, candidates, trusted, any, valid);

    sk_X509_pop_free(candidates, X509_free);
    return found;
}

/* Trusted certificates first, and of each source those that are valid at the time asked for. */
static enum tg_walk try_all(struct walk *walk, bool valid)
{
    const struct tg_sources *from = walk->sources;
    const X509_NAME *issuer =
        X509_get_issuer_name(sk_X509_value(walk->path, sk_X509_num(walk->path) - 1));
    enum tg_walk found =
        try_found(walk, tg_sources_held(from, from->anchors, issuer), true, true, valid);

    if (found == TG_WALK_ON)
        found = try_found(walk, tg_sources_find(from->system, issuer), true, true, valid);
    if (found == TG_WALK_ON)
        found = try_found(walk, tg_sources_find(from->app, issuer), true, from->app_partial, valid);
    if (found == TG_WALK_ON)
        found = try_candidates(walk, from->sent, false, false, valid);
    if (found == TG_WALK_ON)
        found = try_found(walk, tg_sources_held(from, from->intermediates, issuer), false, false,
                          valid);
    return found;
}

static enum tg_walk extend(struct walk *walk)
{
    unsigned steps = walk->steps;
    enum tg_walk found = try_all(walk, true);

    if (found == TG_WALK_ON)
        found = try_all(walk, false);
    if (found == TG_WALK_ON && walk->steps == steps)
        found = keep_longest(walk);
    return found;
}

static enum tg_walk walk_longest(struct walk *walk)
{
    STACK_OF(X509) *path = walk->path;
    enum tg_walk found;

    if (walk->longest == NULL)
        return TG_WALK_ON;
    walk->path = walk->longest;
    walk->attempts = walk->checked = 0;
    found = visit(walk, false);
    walk->path = path;
    return found;
}

enum tg_walk tg_path_walk(const struct tg_sources *sources, X509 *leaf, tg_path_visit *visitor,
                          void *arg, struct tg_path_end *end)
{
    struct walk walk = {.sources = sources, .visit = visitor, .arg = arg, .end = end};
    enum tg_walk found = TG_WALK_FAILED;

    *end = (struct tg_path_end){.spent = false};
    walk.path = sk_X509_new_reserve(NULL, TG_PATH_MAX_LENGTH);
    if (walk.path == NULL || !sk_X509_push(walk.path, leaf))
        goto end;
    found = extend(&walk);
    /* Only a leaf can be an anchor unnoticed: any other is found as an issuer first. */
    if (found == TG_WALK_ON && tg_sources_anchor(sources, leaf))
        found = visit(&walk, true);
    if (found == TG_WALK_ON && walk.attempts == 0)
        found = walk_longest(&walk);
end:
    sk_X509_free(walk.path);
    sk_X509_pop_free(walk.longest, X509_free);
    return found;
}
