#include "distrust.h"
#include "path.h"
#include "twin.h"
#include "twinkey.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>

static bool distrusts_any(const tg_policy *policy)
{
    return policy != NULL &&
           (policy->distrusted_certificates.count > 0 || policy->distrusted_keys.count > 0);
}

int tg_distrusts(const tg_policy *policy, const X509 *certificate, const X509 *issuer)
{
    int distrusted;

    if (policy == NULL)
        return 0;
    if (issuer == NULL &&
        X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0)
        issuer = certificate;
    distrusted = tg_twin_has_certificate(&policy->distrusted_certificates, certificate, issuer);
    if (distrusted != 0)
        return distrusted;
    return tg_twin_has_key(&policy->distrusted_keys, X509_get_X509_PUBKEY(certificate));
}

static void add_finding(struct tg_findings *list, int depth, const X509 *certificate)
{
    struct tg_buf text = {0};

    tg_buf_add(&text, "the policy distrusts ");
    tg_findings_who(&text, depth, certificate);
    tg_findings_add(list, TG_DISTRUSTED, depth, 0, &text);
}

static bool look_at(const tg_policy *policy, const X509 *certificate, const X509 *issuer, int depth,
                    struct tg_findings *findings)
{
    int distrusted = tg_distrusts(policy, certificate, issuer);

    if (distrusted > 0)
        add_finding(findings, depth, certificate);
    return distrusted >= 0;
}

/* True if a signature of CERTIFICATE's algorithm can be one by KEY, as far as their kinds go. */
static bool fits(const X509 *certificate, const EVP_PKEY *key)
{
    int digest = NID_undef, kind = NID_undef, own = EVP_PKEY_get_base_id(key);

    if (!OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &digest, &kind))
        return false;
    kind = kind == EVP_PKEY_RSA_PSS ? EVP_PKEY_RSA : kind;
    own = own == EVP_PKEY_RSA_PSS ? EVP_PKEY_RSA : own;
    return kind == own && (digest == NID_undef || EVP_get_digestbynid(digest) != NULL);
}

/* Where that can't be told, as without memory, it is. */
static bool is_signed_by(X509 *certificate, EVP_PKEY *key)
{
    bool is;

    ERR_set_mark();
    is = key != NULL && fits(certificate, key) && X509_verify(certificate, key) != 0;
    ERR_pop_to_mark();
    return is;
}

/* Its own key is looked at with it. */
static bool is_self_signed(X509 *certificate)
{
    bool is;

    ERR_set_mark();
    is = X509_self_signed(certificate, 1) == 1;
    ERR_pop_to_mark();
    return is;
}

/* By the keys of the policy's own files. */
static void look_for_key(const tg_policy *policy, X509 *end, int depth,
                         struct tg_findings *findings)
{
    struct tg_buf text = {0};

    for (const struct tg_signer *signer = policy->distrusted_signers; signer != NULL;
         signer = signer->next) {
        if (!is_signed_by(end, signer->key))
            continue;
        tg_buf_add(&text, "the policy distrusts the key that signed ");
        tg_findings_who(&text, depth, end);
        tg_findings_add(findings, TG_DISTRUSTED, depth + 1, 0, &text);
        return;
    }
}

static bool look_among(const tg_policy *policy, const STACK_OF(X509) *held, X509 *end, int depth,
                       struct tg_findings *findings)
{
    for (int i = 0; i < sk_X509_num(held); i++) {
        X509 *one = sk_X509_value(held, i);
        int distrusted;

        if (X509_NAME_cmp(X509_get_subject_name(one), X509_get_issuer_name(end)) != 0)
            continue;
        distrusted = tg_distrusts(policy, one, NULL);
        if (distrusted < 0)
            return false;
        if (distrusted > 0 && is_signed_by(end, X509_get0_pubkey(one))) {
            add_finding(findings, depth + 1, one);
            break;
        }
    }
    return true;
}

/* FOUND, which is freed. */
static bool look_in(const tg_policy *policy, STACK_OF(X509) *found, X509 *end, int depth,
                    struct tg_findings *findings)
{
    bool looked = look_among(policy, found, end, depth, findings);

    sk_X509_pop_free(found, X509_free);
    return looked;
}

bool tg_distrust_signer(const tg_policy *policy, const struct tg_sources *from, X509 *end,
                        int depth, struct tg_findings *findings)
{
    const X509_NAME *issuer = X509_get_issuer_name(end);

    if (!distrusts_any(policy) || is_self_signed(end))
        return true;
    look_for_key(policy, end, depth, findings);
    return look_among(policy, from->sent, end, depth, findings) &&
           look_in(policy, tg_sources_held(from, from->intermediates, issuer), end, depth,
                   findings) &&
           look_in(policy, tg_sources_held(from, from->anchors, issuer), end, depth, findings) &&
           look_in(policy, tg_sources_find(from->system, issuer), end, depth, findings) &&
           look_in(policy, tg_sources_find(from->app, issuer), end, depth, findings) &&
           !findings->failed;
}

/* A reference, as those that follow. */
static X509 *issuer_among(const STACK_OF(X509) *held, X509 *end)
{
    for (int i = 0; i < sk_X509_num(held); i++) {
        X509 *one = sk_X509_value(held, i);

        if (X509_cmp(one, end) != 0 && X509_check_issued(one, end) == X509_V_OK && X509_up_ref(one))
            return one;
    }
    return NULL;
}

static X509 *issuer_in(const struct tg_sources *from, const struct tg_holding *held, X509 *end)
{
    STACK_OF(X509) *found = tg_sources_held(from, held, X509_get_issuer_name(end));
    X509 *issuer = issuer_among(found, end);

    sk_X509_pop_free(found, X509_free);
    return issuer;
}

/* Who has issued END: by the policy's word, OWN, or else by the server's. */
static X509 *issuer_of(const struct tg_sources *from, X509 *end, bool own)
{
    X509 *issuer = own ? NULL : issuer_among(from->sent, end);

    if (issuer == NULL)
        issuer = issuer_in(from, from->intermediates, end);
    if (issuer == NULL)
        issuer = issuer_in(from, from->anchors, end);
    return issuer != NULL || !own ? issuer : issuer_among(from->sent, end);
}

/* From LEAF upwards; where that ends, by the signature. */
static bool follow(const tg_policy *policy, const struct tg_sources *from, X509 *leaf, bool own,
                   struct tg_findings *findings)
{
    X509 *end = X509_up_ref(leaf) ? leaf : NULL;
    bool looked = end != NULL;

    for (int depth = 0; looked && end != NULL && depth < TG_PATH_MAX_LENGTH; depth++) {
        X509 *next = issuer_of(from, end, own);
        bool last = next == NULL || depth + 1 == TG_PATH_MAX_LENGTH;

        looked = look_at(policy, end, next, depth, findings);
        if (looked && last && end != leaf && findings->count == 0)
            looked = tg_distrust_signer(policy, from, end, depth, findings);
        X509_free(end);
        end = next;
    }
    X509_free(end);
    return looked;
}

/* Of several of one name the walks above take the first; a library may take any. */
static bool explore(const tg_policy *policy, const struct tg_sources *from, X509 *leaf,
                    struct tg_findings *findings)
{
    STACK_OF(X509) *reached = sk_X509_new_null();
    bool done = reached != NULL && sk_X509_push(reached, leaf);

    for (int i = 0; done && i < sk_X509_num(reached) && findings->count == 0; i++) {
        X509 *end = sk_X509_value(reached, i);

        for (int j = 0; done && j < sk_X509_num(from->sent); j++) {
            X509 *one = sk_X509_value(from->sent, j);

            if (X509_NAME_cmp(X509_get_subject_name(one), X509_get_issuer_name(end)) == 0)
                done = look_at(policy, end, one, i > 0, findings) &&
                       (sk_X509_find(reached, one) >= 0 || sk_X509_push(reached, one));
        }
        done = done &&
               (findings->count > 0 ||
                (look_at(policy, end, NULL, i > 0, findings) &&
                 (findings->count > 0 || tg_distrust_signer(policy, from, end, i > 0, findings))));
    }
    sk_X509_free(reached);
    return done;
}

bool tg_distrust_leaf(const tg_policy *policy, const struct tg_sources *from, X509 *leaf,
                      struct tg_findings *findings)
{
    if (!distrusts_any(policy))
        return true;
    for (int own = 0; own <= 1 && findings->count == 0; own++)
        if (!follow(policy, from, leaf, own, findings))
            return false;
    return (findings->count > 0 || explore(policy, from, leaf, findings)) && !findings->failed;
}

bool tg_distrust_path(const tg_policy *policy, const STACK_OF(X509) *path,
                      struct tg_findings *findings)
{
    for (int i = 0; i < sk_X509_num(path); i++)
        if (!look_at(policy, sk_X509_value(path, i), sk_X509_value(path, i + 1), i, findings))
            return false;
    return !findings->failed;
}

bool tg_distrust_refuse(const tg_policy *policy, const struct tg_query *query,
                        const struct tg_app_path *app, struct tg_verdict **refusal)
{
    struct tg_findings findings = {0};
    const struct tg_sources from = {.sent = query->sent, .app = query->app};
    bool whole = app->verified && sk_X509_num(app->path) > 1;
    bool checked = tg_distrust_path(policy, app->path, &findings) &&
                   (whole || tg_distrust_leaf(policy, &from, query->leaf, &findings));

    *refusal = NULL;
    if (checked && findings.count > 0) {
        *refusal = tg_verdict_new(policy, TG_RESULT_DENY, &findings, NULL);
        checked = *refusal != NULL;
    }
    tg_findings_clear(&findings);
    return checked;
}
