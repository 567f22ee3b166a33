#include "requirements.h"
#include "hash.h"
#include "holding.h"
#include "pin.h"
#include "write.h"
#include <stdlib.h>
#include <string.h>

/* ---- text -------------------------------------------------------------------------------- */

struct telling {
    struct tg_buf *buf;
    const struct tg_rule *rule;
    const char *host;
    time_t now;
};

static void begin(const struct telling *telling, const char *sentence)
{
    tg_buf_printf(telling->buf, "  - %s\n", sentence);
}

/* NULL without memory, which BUF keeps in mind. */
static const X509 *get_certificate(struct tg_buf *buf, const struct tg_holding *held, size_t index)
{
    const X509 *certificate = tg_holding_get(held, index);

    buf->failed = buf->failed || certificate == NULL;
    return certificate;
}

static void list_certificates(struct tg_buf *buf, const struct tg_holding *held)
{
    for (size_t i = 0; i < tg_holding_count(held); i++) {
        const X509 *certificate = get_certificate(buf, held, i);

        if (certificate == NULL)
            return;
        tg_buf_add(buf, "      ");
        tg_write_name(buf, X509_get_subject_name(certificate));
        tg_buf_add(buf, "\n        ");
        tg_write_fingerprint(buf, certificate);
        tg_buf_add(buf, "\n");
    }
}

static void list_pins(struct tg_buf *buf, const struct tg_digests *pins)
{
    char text[TG_PIN_SIZE];

    for (size_t i = 0; i < pins->count; i++) {
        tg_pin_text(pins->digest[i], text);
        tg_buf_printf(buf, "      %s\n", text);
    }
}

static void tell_trusted(const struct telling *telling)
{
    const struct tg_digests *leaves = &telling->rule->trusted_leaves;
    char hex[TG_HEX_SIZE];

    if (leaves->count == 0)
        return;
    begin(telling, leaves->count == 1 ? "this certificate is trusted, whatever is wrong with it:"
                                      : "these certificates are trusted, whatever is wrong with "
                                        "them:");
    for (size_t i = 0; i < leaves->count; i++) {
        tg_hex_text(leaves->digest[i], hex);
        tg_buf_printf(telling->buf, "      sha256:%s\n", hex);
    }
    begin(telling, "any other has to fulfil what follows:");
}

static void tell_anchors(const struct telling *telling)
{
    const struct tg_rule *rule = telling->rule;
    bool any = rule->anchors_system || tg_holding_count(rule->anchors) > 0;

    if (!any && !rule->anchors_only) {
        begin(telling, "a path to an anchor of the application");
        return;
    }
    if (!any) {
        begin(telling, "a path to an anchor, but it allows none: every path is refused");
        return;
    }
    begin(telling, rule->anchors_only ? "a path to one of these anchors, and to no other:"
                                      : "a path to one of these anchors, or to one of the "
                                        "application's:");
    list_certificates(telling->buf, rule->anchors);
    if (rule->anchors_system)
        tg_buf_add(telling->buf, "      those of OpenSSL's default store\n");
}

static void tell_intermediates(const struct telling *telling)
{
    if (tg_holding_count(telling->rule->intermediates) == 0)
        return;
    begin(telling, "the path may lead through these, sent or not:");
    list_certificates(telling->buf, telling->rule->intermediates);
}

static void tell_name(const struct telling *telling)
{
    const struct tg_words *names = &telling->rule->hostnames;

    if (telling->rule->skip_hostname) {
        begin(telling, "no name: the certificate may be for any host");
        return;
    }
    tg_buf_add(telling->buf, "  - a certificate for ");
    if (names->count == 0)
        tg_buf_add(telling->buf, telling->host);
    for (size_t i = 0; i < names->count; i++) {
        tg_buf_add(telling->buf, i > 0 ? " or " : "");
        tg_buf_escape(telling->buf, names->word[i], strlen(names->word[i]));
    }
    tg_buf_add(telling->buf, names->count > 0 ? ", instead of the name dialled\n" : "\n");
}

static void tell_dates(const struct telling *telling)
{
    if (telling->rule->skip_dates) {
        begin(telling, "no dates: the certificates may have expired");
    } else if (telling->rule->verify_time != 0) {
        tg_buf_add(telling->buf, "  - certificates valid on ");
        tg_write_time(telling->buf, telling->rule->verify_time);
        tg_buf_add(telling->buf, ", instead of now\n");
    } else {
        begin(telling, "certificates that are valid now");
    }
}

static void tell_purpose(const struct telling *telling)
{
    begin(telling, telling->rule->purpose == TG_PURPOSE_ANY ? "certificates for any purpose"
                                                            : "a certificate for TLS servers");
    if (telling->rule->strict)
        begin(telling, "certificates that keep strictly to RFC 5280");
}

static void tell_pins(const struct telling *telling)
{
    const struct tg_rule *rule = telling->rule;
    bool expired = rule->pins_expire != 0 && telling->now >= rule->pins_expire;

    if (rule->leaf_pins.count > 0) {
        begin(telling, "the certificate's own key is one of:");
        list_pins(telling->buf, &rule->leaf_pins);
    }
    if (rule->ca_pins.count > 0) {
        begin(telling, "the key of a CA on the verified path is one of:");
        list_pins(telling->buf, &rule->ca_pins);
    }
    if (rule->path_pins.count > 0) {
        begin(telling, "the key of the certificate, or of a CA on the verified path, is one of:");
        list_pins(telling->buf, &rule->path_pins);
    }
    if (rule->known_hosts != NULL) {
        begin(telling, "the key of the certificate, or of a CA above it, is one that this file "
                       "knows the host by:");
        tg_buf_add(telling->buf, "      ");
        tg_buf_escape(telling->buf, rule->known_hosts->path, strlen(rule->known_hosts->path));
        tg_buf_add(telling->buf, "\n");
    }
    if (rule->pins_expire == 0 ||
        (rule->leaf_pins.count + rule->ca_pins.count + rule->path_pins.count == 0 &&
         rule->known_hosts == NULL))
        return;
    tg_buf_add(telling->buf,
               expired ? "      but no longer: the pins expired on " : "      but only until ");
    tg_write_time(telling->buf, rule->pins_expire);
    tg_buf_add(telling->buf, "\n");
}

static void tell_revocation(const struct telling *telling)
{
    static const char *const sentences[] = {
        [TG_REVOCATION_CRL] = "a certificate that no CRL revokes, and a CRL of its issuer that is "
                              "in date",
        [TG_REVOCATION_CRL_CHAIN] = "certificates up to the anchor that no CRL revokes, and a CRL "
                                    "of each issuer that is in date",
        [TG_REVOCATION_STAPLE] = "a good OCSP answer, if one is stapled",
        [TG_REVOCATION_STAPLE_REQUIRED] = "a good OCSP answer that is stapled"};
    int crls = sk_X509_CRL_num(telling->rule->crls);

    if (telling->rule->revocation == TG_REVOCATION_NONE)
        return;
    begin(telling, sentences[telling->rule->revocation]);
    if (telling->rule->revocation <= TG_REVOCATION_CRL_CHAIN)
        tg_buf_printf(telling->buf, "      %d CRL%s given\n", crls > 0 ? crls : 0,
                      crls == 1 ? " is" : "s are");
}

static bool is_set(const struct tg_rule *rule, enum tg_key_id id)
{
    return (rule->set & TG_KEY_BIT(id)) != 0;
}

static const char *min_tls(const struct tg_rule *rule)
{
    return rule->min_tls == TG_MIN_TLS_1_2 ? "1.2" : "1.3";
}

static void tell_floors(const struct telling *telling)
{
    const struct tg_rule *rule = telling->rule;

    if (is_set(rule, TG_KEY_MIN_TLS))
        tg_buf_printf(telling->buf, "  - TLS %s or later\n", min_tls(rule));
    if (is_set(rule, TG_KEY_MIN_RSA_BITS))
        tg_buf_printf(telling->buf, "  - RSA keys of %u bits or more\n", rule->min_rsa_bits);
    if (is_set(rule, TG_KEY_SECURITY_LEVEL))
        tg_buf_printf(telling->buf, "  - keys and signatures of OpenSSL's security level %u\n",
                      rule->security_level);
}

void tg_requirements_text(struct tg_buf *buf, const struct tg_rule *rule, const char *host,
                          time_t now)
{
    static void (*const tellers[])(const struct telling *) = {
        tell_trusted, tell_anchors,    tell_intermediates, tell_name,   tell_dates,
        tell_purpose, tell_revocation, tell_pins,          tell_floors,
    };
    const struct telling telling = {buf, rule, host, now};

    for (size_t i = 0; i < sizeof(tellers) / sizeof(tellers[0]); i++)
        tellers[i](&telling);
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void add_certificates(struct tg_buf *buf, const struct tg_holding *held)
{
    tg_buf_add(buf, "[");
    for (size_t i = 0; i < tg_holding_count(held); i++) {
        const X509 *certificate = get_certificate(buf, held, i);
        struct tg_buf name = {0};
        char *text;

        if (certificate == NULL)
            return;
        tg_write_name(&name, X509_get_subject_name(certificate));
        text = tg_buf_take(&name);
        if (text == NULL)
            buf->failed = true;
        tg_buf_add(buf, i > 0 ? ",{\"subject\":" : "{\"subject\":");
        tg_buf_json(buf, text);
        tg_buf_add(buf, ",\"fingerprint\":\"");
        tg_write_fingerprint(buf, certificate);
        tg_buf_add(buf, "\"}");
        free(text);
    }
    tg_buf_add(buf, "]");
}

static void add_words(struct tg_buf *buf, const struct tg_words *words)
{
    tg_buf_add(buf, "[");
    for (size_t i = 0; i < words->count; i++) {
        tg_buf_add(buf, i > 0 ? "," : "");
        tg_buf_json(buf, words->word[i]);
    }
    tg_buf_add(buf, "]");
}

static void add_digests(struct tg_buf *buf, const struct tg_digests *digests, bool pins)
{
    char text[TG_HEX_SIZE]; /* the longer of the two */

    tg_buf_add(buf, "[");
    for (size_t i = 0; i < digests->count; i++) {
        if (pins)
            tg_pin_text(digests->digest[i], text);
        else
            tg_hex_text(digests->digest[i], text);
        tg_buf_printf(buf, "%s\"%s%s\"", i > 0 ? "," : "", pins ? "" : "sha256:", text);
    }
    tg_buf_add(buf, "]");
}

static void add_bool(struct tg_buf *buf, const char *key, bool value)
{
    tg_buf_printf(buf, ",\"%s\":%s", key, value ? "true" : "false");
}

static void add_number(struct tg_buf *buf, const char *key, bool given, unsigned value)
{
    tg_buf_printf(buf, ",\"%s\":", key);
    if (given)
        tg_buf_printf(buf, "%u", value);
    else
        tg_buf_add(buf, "null");
}

static void add_revocation(struct tg_buf *buf, const struct tg_rule *rule)
{
    static const char *const words[] = {[TG_REVOCATION_NONE] = "none",
                                        [TG_REVOCATION_CRL] = "crl",
                                        [TG_REVOCATION_CRL_CHAIN] = "crl-chain",
                                        [TG_REVOCATION_STAPLE] = "staple",
                                        [TG_REVOCATION_STAPLE_REQUIRED] = "staple-required"};
    int crls = sk_X509_CRL_num(rule->crls);

    tg_buf_printf(buf, ",\"revocation\":\"%s\",\"crl\":%d", words[rule->revocation],
                  crls > 0 ? crls : 0);
}

static void add_floors(struct tg_buf *buf, const struct tg_rule *rule)
{
    if (is_set(rule, TG_KEY_MIN_TLS))
        tg_buf_printf(buf, ",\"min_tls\":\"%s\"", min_tls(rule));
    else
        tg_buf_add(buf, ",\"min_tls\":null");
    add_number(buf, "min_rsa_bits", is_set(rule, TG_KEY_MIN_RSA_BITS), rule->min_rsa_bits);
    add_number(buf, "security_level", is_set(rule, TG_KEY_SECURITY_LEVEL), rule->security_level);
}

void tg_requirements_json(struct tg_buf *buf, const struct tg_rule *rule)
{
    tg_buf_add(buf, "{\"profile\":");
    tg_buf_json(buf, rule->profile);
    tg_buf_add(buf, ",\"program\":");
    add_words(buf, &rule->programs);
    tg_buf_add(buf, ",\"anchors\":");
    add_certificates(buf, rule->anchors);
    add_bool(buf, "anchors_system", rule->anchors_system);
    add_bool(buf, "anchors_only", rule->anchors_only);
    tg_buf_add(buf, ",\"intermediates\":");
    add_certificates(buf, rule->intermediates);
    tg_buf_add(buf, ",\"hostname\":");
    add_words(buf, &rule->hostnames);
    add_bool(buf, "insecure_skip_hostname", rule->skip_hostname);
    tg_buf_add(buf, ",\"trust_certificate\":");
    add_digests(buf, &rule->trusted_leaves, false);
    tg_buf_add(buf, ",\"leaf_pin\":");
    add_digests(buf, &rule->leaf_pins, true);
    tg_buf_add(buf, ",\"ca_pin\":");
    add_digests(buf, &rule->ca_pins, true);
    tg_buf_add(buf, ",\"pin\":");
    add_digests(buf, &rule->path_pins, true);
    tg_buf_add(buf, ",\"known_hosts\":");
    tg_buf_json(buf, rule->known_hosts != NULL ? rule->known_hosts->path : NULL);
    tg_buf_add(buf, ",\"pins_expire\":");
    tg_write_time_json(buf, rule->pins_expire);
    tg_buf_add(buf, ",\"verify_time\":");
    tg_write_time_json(buf, rule->verify_time);
    add_bool(buf, "insecure_skip_dates", rule->skip_dates);
    tg_buf_printf(buf, ",\"purpose\":\"%s\"",
                  rule->purpose == TG_PURPOSE_ANY ? "any" : "tls-server");
    add_bool(buf, "strict", rule->strict);
    add_revocation(buf, rule);
    add_floors(buf, rule);
    tg_buf_add(buf, "}");
}
