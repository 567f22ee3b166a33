#include "selfanchored.h"
#include "crl.h"
#include "path.h"
#include "sources.h"
#include "text.h"
#include <openssl/x509v3.h>

/* By its key and not its name alone, as no path over it is verified. */
static X509 *find_among(X509 *leaf, const STACK_OF(X509) *candidates)
{
    for (int i = 0; i < sk_X509_num(candidates); i++) {
        X509 *candidate = sk_X509_value(candidates, i);

        if (X509_check_issued(candidate, leaf) == X509_V_OK &&
            X509_verify(leaf, X509_get0_pubkey(candidate)) == 1 && X509_up_ref(candidate))
            return candidate;
    }
    return NULL;
}

static X509 *find_in(X509 *leaf, STACK_OF(X509) *candidates)
{
    X509 *found = find_among(leaf, candidates);

    sk_X509_pop_free(candidates, X509_free);
    return found;
}

/* What the policy has comes first: a server could send many that only look like the issuer. */
static X509 *find_issuer(X509 *leaf, const struct tg_sources *from)
{
    const X509_NAME *name = X509_get_issuer_name(leaf);
    X509 *issuer = find_in(leaf, tg_sources_held(from, from->anchors, name));

    if (issuer == NULL)
        issuer = find_in(leaf, tg_sources_held(from, from->intermediates, name));
    if (issuer == NULL)
        issuer = find_in(leaf, tg_sources_find(from->system, name));
    if (issuer == NULL)
        issuer = find_in(leaf, tg_sources_find(from->app, name));
    if (issuer == NULL && sk_X509_num(from->sent) <= TG_PATH_MAX_SENT)
        issuer = find_among(leaf, from->sent);
    return issuer;
}

bool tg_selfanchored_issuer(const struct tg_evaluation *evaluation, X509 **issuer)
{
    X509 *leaf = evaluation->query->leaf;
    struct tg_sources sources;
    bool opened;

    *issuer = NULL;
    if (X509_get_extension_flags(leaf) & EXFLAG_SS) {
        *issuer = X509_up_ref(leaf) ? leaf : NULL;
        return *issuer != NULL;
    }
    opened = tg_sources_open(&sources, evaluation);
    if (opened)
        *issuer = find_issuer(leaf, &sources);
    tg_sources_close(&sources);
    return opened;
}

/* X509_STORE_CTX_verify_cb. */
static int keep_all(int ok, X509_STORE_CTX *context)
{
    struct tg_findings *findings = X509_STORE_CTX_get_app_data(context);

    if (!ok && findings != NULL)
        tg_findings_add_x509(findings, X509_STORE_CTX_get_error(context),
                             X509_STORE_CTX_get_error_depth(context),
                             X509_STORE_CTX_get_current_cert(context));
    return 1;
}

/*
 * Verifies the leaf once more as issued by ISSUER, for what the lists say of it: *FOUND is all
 * that was found, true is returned if the lists were asked.
 */
static bool verify_beside(const struct tg_evaluation *evaluation, X509 *issuer,
                          struct tg_findings *found)
{
    X509_STORE *store = tg_crl_store_new(evaluation);
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *trusted = sk_X509_new_null();
    X509_VERIFY_PARAM *param = NULL;
    int links = issuer == evaluation->query->leaf ? 1 : 2;
    bool asked = false;

    if (store == NULL || context == NULL || trusted == NULL || !sk_X509_push(trusted, issuer) ||
        !X509_STORE_CTX_init(context, store, evaluation->query->leaf, NULL) ||
        !X509_STORE_CTX_set_app_data(context, found))
        goto end;
    param = X509_STORE_CTX_get0_param(context);
    if (!X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_CRL_CHECK |
                                                X509_V_FLAG_EXTENDED_CRL_SUPPORT))
        goto end;
    X509_STORE_CTX_set0_trusted_stack(context, trusted);
    X509_STORE_CTX_set_verify_cb(context, keep_all);
    asked = X509_verify_cert(context) == 1 &&
            sk_X509_num(X509_STORE_CTX_get0_chain(context)) == links && !found->failed;
end:
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    sk_X509_free(trusted);
    return asked;
}

static void add_unknown(struct tg_findings *findings, const char *why)
{
    struct tg_buf text = {0};

    tg_buf_printf(&text, "the certificate is trusted by itself, as an anchor, and %s", why);
    tg_findings_add(findings, TG_REVOCATION_UNKNOWN, 0, X509_V_ERR_UNABLE_TO_GET_CRL, &text);
}

static void take_revocation(struct tg_findings *findings, const struct tg_findings *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct tg_finding *item = &found->item[i];
        struct tg_buf text = {0};

        if (item->depth != 0 || (item->kind != TG_REVOKED && item->kind != TG_REVOCATION_UNKNOWN))
            continue;
        tg_buf_add(&text, item->text);
        tg_findings_add(findings, item->kind, 0, item->x509_error, &text);
    }
}

/* What the lists say of the leaf, if its issuer is known. False only when memory ran out. */
static bool ask_lists(const struct tg_evaluation *evaluation, struct tg_findings *findings)
{
    struct tg_findings found = {0};
    X509 *issuer = NULL;
    bool asked = tg_selfanchored_issuer(evaluation, &issuer);

    if (asked && issuer == NULL)
        add_unknown(findings, "its issuer, who signs the CRL that speaks for it, is not known");
    else
        asked = asked && verify_beside(evaluation, issuer, &found);
    if (asked)
        take_revocation(findings, &found);
    X509_free(issuer);
    tg_findings_clear(&found);
    return asked;
}

static bool has_crl_of(const STACK_OF(X509_CRL) *crls, const X509_NAME *issuer)
{
    for (int i = 0; i < sk_X509_CRL_num(crls); i++)
        if (X509_NAME_cmp(X509_CRL_get_issuer(sk_X509_CRL_value(crls, i)), issuer) == 0)
            return true;
    return false;
}

bool tg_selfanchored_check_crls(const struct tg_evaluation *evaluation,
                                struct tg_findings *findings)
{
    const struct tg_rule *rule = evaluation->rule;

    if (tg_crl_flags(rule) == 0)
        return true;
    if (!has_crl_of(rule->crls, X509_get_issuer_name(evaluation->query->leaf)))
        add_unknown(findings, "no CRL of its issuer is there to speak for it");
    else if (!ask_lists(evaluation, findings))
        findings->failed = true;
    return !findings->failed;
}
