#include "sources.h"
#include "missed.h"
#include "system.h"
#include "twin.h"
#include <openssl/x509v3.h>

bool tg_sources_open(struct tg_sources *sources, const struct tg_evaluation *evaluation)
{
    const struct tg_rule *rule = evaluation->rule;
    X509_STORE_CTX *app = tg_evaluation_app(evaluation);

    *sources = (struct tg_sources){
        .anchors = rule->anchors,
        .app = app,
        .app_partial = app != NULL && (X509_VERIFY_PARAM_get_flags(X509_STORE_CTX_get0_param(app)) &
                                       X509_V_FLAG_PARTIAL_CHAIN),
        .sent = evaluation->query->sent,
        .intermediates = rule->intermediates,
        .beside = evaluation->query->app != NULL ? X509_STORE_CTX_get0_store(evaluation->query->app)
                                                 : NULL,
        .when = evaluation->when,
    };
    if (!rule->anchors_system)
        return true;
    sources->system = tg_system_store(evaluation->policy);
    return sources->system != NULL;
}

void tg_sources_close(struct tg_sources *sources)
{
    X509_STORE_CTX_free(sources->system);
    sources->system = NULL;
}

STACK_OF(X509) *tg_sources_find(X509_STORE_CTX *store, const X509_NAME *subject)
{
    return store != NULL ? X509_STORE_CTX_get_lookup_certs(store)(store, subject) : NULL;
}

STACK_OF(X509) *tg_sources_held(const struct tg_sources *from, const struct tg_holding *held,
                                const X509_NAME *subject)
{
    STACK_OF(X509) *found = NULL;

    if (!tg_holding_find(held, subject, from->beside, &found))
        tg_missed_note();
    return found;
}

bool tg_sources_same_holder(const X509 *one, const X509 *other)
{
    return X509_NAME_cmp(X509_get_subject_name(one), X509_get_subject_name(other)) == 0 &&
           ASN1_STRING_cmp(X509_get0_pubkey_bitstr(one), X509_get0_pubkey_bitstr(other)) == 0;
}

/* What a trusted source has to say of a certificate. */
enum word { SAYS_NOTHING, HOLDS, REJECTS };

/*
 * It rejects by a setting of WANTED itself, or of one that says the same (twin.h), or where it
 * doesn't hold WANTED, of another for its name and key: a copy that was sent has no such setting.
 */
static enum word word_of(const STACK_OF(X509) *certificates, const X509 *wanted)
{
    bool held = false, barred = false;

    for (int i = 0; i < sk_X509_num(certificates); i++) {
        X509 *one = sk_X509_value(certificates, i);
        bool same = X509_cmp(one, wanted) == 0;

        if (!same && !tg_sources_same_holder(one, wanted))
            continue;
        if (X509_check_trust(one, X509_TRUST_SSL_SERVER, 0) != X509_TRUST_REJECTED)
            held = held || same;
        else if (same || tg_twin_same(one, wanted))
            return REJECTS;
        else
            barred = true;
    }
    return held ? HOLDS : barred ? REJECTS : SAYS_NOTHING;
}

static enum word word_of_found(STACK_OF(X509) *found, const X509 *wanted)
{
    enum word word = word_of(found, wanted);

    sk_X509_pop_free(found, X509_free);
    return word;
}

static enum word word_of_anchors(const struct tg_sources *from, const X509 *wanted)
{
    return word_of_found(tg_sources_held(from, from->anchors, X509_get_subject_name(wanted)),
                         wanted);
}

static enum word word_of_store(X509_STORE_CTX *store, const X509 *wanted)
{
    return word_of_found(tg_sources_find(store, X509_get_subject_name(wanted)), wanted);
}

bool tg_sources_reject(const struct tg_sources *from, const X509 *certificate)
{
    return word_of_anchors(from, certificate) == REJECTS ||
           word_of_store(from->system, certificate) == REJECTS ||
           word_of_store(from->app, certificate) == REJECTS;
}

bool tg_sources_anchor(const struct tg_sources *from, X509 *leaf)
{
    bool app_takes = from->app_partial || (X509_get_extension_flags(leaf) & EXFLAG_SS);

    return !tg_sources_reject(from, leaf) &&
           (word_of_anchors(from, leaf) == HOLDS || word_of_store(from->system, leaf) == HOLDS ||
            (app_takes && word_of_store(from->app, leaf) == HOLDS));
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

static bool misfit_in(STACK_OF(X509) *found, X509 *end, bool *key)
{
    bool misfit = misfit_among(found, end, key);

    sk_X509_pop_free(found, X509_free);
    return misfit;
}

bool tg_sources_misfit(const struct tg_sources *from, X509 *end, bool *key)
{
    const X509_NAME *issuer = X509_get_issuer_name(end);

    return misfit_in(tg_sources_held(from, from->anchors, issuer), end, key) ||
           misfit_in(tg_sources_find(from->system, issuer), end, key) ||
           misfit_in(tg_sources_find(from->app, issuer), end, key) ||
           misfit_among(from->sent, end, key) ||
           misfit_in(tg_sources_held(from, from->intermediates, issuer), end, key);
}
