#include "pinning.h"
#include "pin.h"

bool tg_pinning_check_leaf(struct tg_evaluation *evaluation)
{
    const struct tg_digests *pins = &evaluation->rule->leaf_pins;
    uint8_t digest[TG_SHA256_SIZE];
    struct tg_buf text = {0};
    char pin[TG_PIN_SIZE];

    if (pins->count == 0 || !evaluation->pins_enforced)
        return true;
    if (!tg_hash_spki(evaluation->query->leaf, digest))
        return false;
    if (tg_digests_have(pins, digest))
        return true;
    tg_pin_text(digest, pin);
    tg_buf_printf(&text, "the certificate's key is %s, which is not pinned", pin);
    tg_findings_add(&evaluation->findings, TG_LEAF_PIN_MISMATCH, 0, 0, &text);
    return true;
}

/* *FOUND: one of CHAIN's certificates FROM to TO has a key among PINS. False without memory. */
static bool find_pin(const struct tg_digests *pins, const STACK_OF(X509) *chain, int from, int to,
                     bool *found)
{
    *found = false;
    for (int i = from; !*found && i < to; i++) {
        uint8_t digest[TG_SHA256_SIZE];

        if (!tg_hash_spki(sk_X509_value(chain, i), digest))
            return false;
        *found = tg_digests_have(pins, digest);
    }
    return true;
}

/* TN2232's CA pinning: the key of a CA on the *verified* path; COUNT certificates of it count. */
static bool check_ca_pins(const struct tg_digests *pins, const STACK_OF(X509) *chain, int count,
                          struct tg_findings *findings)
{
    struct tg_buf text = {0};
    bool found;

    if (pins->count == 0)
        return true;
    if (!find_pin(pins, chain, 1, count, &found))
        return false;
    if (found)
        return true;
    tg_buf_printf(&text, "none of the %d CA certificates on the verified path has a pinned key",
                  count - 1);
    tg_findings_add(findings, TG_CA_PIN_MISMATCH, 0, 0, &text);
    return !findings->failed;
}

/* RFC 7469, section 2.6: any key of the path. The server's own it has proven to hold anyway. */
static bool check_path_pins(const struct tg_digests *pins, const STACK_OF(X509) *chain, int count,
                            struct tg_findings *findings)
{
    struct tg_buf text = {0};
    bool found;

    if (pins->count == 0)
        return true;
    if (!find_pin(pins, chain, 0, count, &found))
        return false;
    if (found)
        return true;
    tg_buf_printf(&text,
                  "neither the server's key nor that of any of the %d CA certificates on "
                  "the verified path is pinned",
                  count - 1);
    tg_findings_add(findings, TG_PIN_MISMATCH, 0, 0, &text);
    return !findings->failed;
}

bool tg_pinning_check_path(const struct tg_evaluation *evaluation, const STACK_OF(X509) *chain,
                           bool proven, struct tg_findings *findings)
{
    const struct tg_rule *rule = evaluation->rule;
    int count = proven ? sk_X509_num(chain) : 1;

    return !evaluation->pins_enforced ||
           (check_ca_pins(&rule->ca_pins, chain, count, findings) &&
            check_path_pins(&rule->path_pins, chain, count, findings));
}
