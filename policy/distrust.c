#include "distrust.h"
#include "hash.h"
#include "path.h"
#include <openssl/x509v3.h>

/* 1 if CERTIFICATE or its key is distrusted, 0 if not, -1 when memory ran out. */
static int distrusts(const tg_policy *policy, const X509 *certificate)
{
    uint8_t digest[TG_SHA256_SIZE];

    if (policy == NULL)
        return 0;
    if (policy->distrusted_certificates.count > 0) {
        if (!tg_hash_certificate(certificate, digest))
            return -1;
        if (tg_digests_have(&policy->distrusted_certificates, digest))
            return 1;
    }
    if (policy->distrusted_keys.count > 0) {
        if (!tg_hash_spki(certificate, digest))
            return -1;
        if (tg_digests_have(&policy->distrusted_keys, digest))
            return 1;
    }
    return 0;
}

int tg_distrust_sent(const tg_policy *policy, const struct tg_query *query,
                     struct tg_findings *findings)
{
    X509 *end = query->leaf;

    for (int depth = 0; depth < TG_PATH_MAX_LENGTH && end != NULL; depth++) {
        X509 *next = NULL;
        int distrusted = distrusts(policy, end);

        if (distrusted < 0)
            return 0;
        if (distrusted)
            tg_findings_distrust(findings, depth, end);
        for (int i = 0; next == NULL && i < sk_X509_num(query->sent); i++) {
            X509 *sent = sk_X509_value(query->sent, i);

            if (X509_cmp(sent, end) != 0 && X509_check_issued(sent, end) == X509_V_OK)
                next = sent;
        }
        end = next;
    }
    return !findings->failed;
}

int tg_distrust_path(const tg_policy *policy, const STACK_OF(X509) *path,
                     struct tg_findings *findings)
{
    for (int i = 0; i < sk_X509_num(path); i++) {
        int distrusted = distrusts(policy, sk_X509_value(path, i));

        if (distrusted < 0)
            return 0;
        if (distrusted)
            tg_findings_distrust(findings, i, sk_X509_value(path, i));
    }
    return !findings->failed;
}

struct tg_verdict *tg_check_distrust(const tg_policy *policy, const struct tg_query *query,
                                     const struct tg_app_path *theirs, bool *failed)
{
    struct tg_findings findings = {0};
    struct tg_verdict *verdict = NULL;

    *failed = !tg_distrust_path(policy, theirs->path, &findings) ||
              (!theirs->verified && !tg_distrust_sent(policy, query, &findings));
    if (!*failed && findings.count > 0) {
        verdict = tg_verdict_new(policy, TG_RESULT_DENY, &findings, NULL);
        *failed = verdict == NULL;
    }
    tg_findings_clear(&findings);
    return verdict;
}
