#include "distrust.h"
#include "path.h"
#include "twin.h"
#include "twinkey.h"
#include <openssl/x509v3.h>

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

bool tg_distrust_sent(const tg_policy *policy, const struct tg_query *query,
                      struct tg_findings *findings)
{
    X509 *end = query->leaf;

    for (int depth = 0; depth < TG_PATH_MAX_LENGTH && end != NULL; depth++) {
        X509 *next = NULL;

        for (int i = 0; next == NULL && i < sk_X509_num(query->sent); i++) {
            X509 *sent = sk_X509_value(query->sent, i);

            if (X509_cmp(sent, end) != 0 && X509_check_issued(sent, end) == X509_V_OK)
                next = sent;
        }
        if (!look_at(policy, end, next, depth, findings))
            return false;
        end = next;
    }
    return !findings->failed;
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
    bool checked = tg_distrust_path(policy, app->path, &findings) &&
                   (app->verified || tg_distrust_sent(policy, query, &findings));

    *refusal = NULL;
    if (checked && findings.count > 0) {
        *refusal = tg_verdict_new(policy, TG_RESULT_DENY, &findings, NULL);
        checked = *refusal != NULL;
    }
    tg_findings_clear(&findings);
    return checked;
}
