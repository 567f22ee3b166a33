#include "floor.h"
#include "text.h"
#include "twinkey.h"
#include <openssl/evp.h>
#include <openssl/tls1.h>

/* DTLS counts downwards: 1.2 is 0xfefd, 1.0 is 0xfeff (RFC 6347 section 4.1). */
static bool tls_is_below(int version, enum tg_min_tls floor)
{
    if (version >> 8 == 0xfe)
        return floor != TG_MIN_TLS_1_2 || version > 0xfefd;
    return version < (floor == TG_MIN_TLS_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
}

void tg_floor_check(struct tg_evaluation *evaluation)
{
    const struct tg_rule *rule = evaluation->rule;
    struct tg_buf text = {0};

    if (!(rule->set & TG_KEY_BIT(TG_KEY_MIN_TLS)) ||
        !tls_is_below(evaluation->query->tls_version, rule->min_tls))
        return;
    tg_buf_printf(&text, "the connection's protocol is older than TLS %s, the policy's floor",
                  rule->min_tls == TG_MIN_TLS_1_2 ? "1.2" : "1.3");
    tg_findings_add(&evaluation->findings, TG_TLS_VERSION, 0, 0, &text);
}

static void check_key(unsigned floor, int depth, X509 *certificate, struct tg_findings *findings)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    struct tg_buf text = {0};

    if (key == NULL || !tg_twin_is_rsa(X509_get_X509_PUBKEY(certificate)) ||
        EVP_PKEY_get_bits(key) >= (int)floor)
        return;
    tg_findings_who(&text, depth, certificate);
    tg_buf_printf(&text, " has an RSA key of %d bits, fewer than the policy's %u",
                  EVP_PKEY_get_bits(key), floor);
    tg_findings_add(findings, TG_WEAK_KEY, depth,
                    depth == 0 ? X509_V_ERR_EE_KEY_TOO_SMALL : X509_V_ERR_CA_KEY_TOO_SMALL, &text);
}

void tg_floor_check_path(const struct tg_rule *rule, const STACK_OF(X509) *path,
                         struct tg_findings *findings)
{
    if (!(rule->set & TG_KEY_BIT(TG_KEY_MIN_RSA_BITS)))
        return;
    for (int i = 0; i < sk_X509_num(path); i++)
        check_key(rule->min_rsa_bits, i, sk_X509_value(path, i), findings);
}
