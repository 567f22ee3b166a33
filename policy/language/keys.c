#include "keys.h"
#include "hint.h"
#include <string.h>

static const struct tg_section_info sections[TG_SECTION_KINDS] = {
    [TG_SECTION_POLICY] = {"policy", 0, 0, "[policy]"},
    [TG_SECTION_HOST] = {"host", 1, ~0u, "[host PATTERN ...]"},
    [TG_SECTION_PROFILE] = {"profile", 1, 1, "[profile NAME]"},
    [TG_SECTION_DISTRUST] = {"distrust", 0, 0, "[distrust]"},
    [TG_SECTION_EXCEPTION] = {"exception", 1, 1, "[exception NAME]"},
};

static const char *const actions[] = {"evaluate", "pass", "reject", NULL};
static const char *const modes[] = {"enforce", "report", NULL};
static const char *const unmatched[] = {"app", "verify", "reject", NULL};
static const char *const unknown_hosts[] = {"reject", "app", NULL};
static const char *const purposes[] = {"tls-server", "any", NULL};
static const char *const log_formats[] = {"text", "json", NULL};
static const char *const log_levels[] = {"rejected", "all", NULL};
static const char *const revocations[] = {"none", "crl", "crl-chain", "staple", "staple-required",
                                          NULL};
static const char *const tls_versions[] = {"1.2", "1.3", NULL};

/* The tables above are in the order of the enums, and their indexes kept as such. */
_Static_assert(sizeof(enum tg_action) == sizeof(int) && sizeof(enum tg_mode) == sizeof(int) &&
                   sizeof(enum tg_unmatched) == sizeof(int) &&
                   sizeof(enum tg_purpose) == sizeof(int) &&
                   sizeof(enum tg_revocation) == sizeof(int) &&
                   sizeof(enum tg_min_tls) == sizeof(int),
               "a choice is stored as an int");
_Static_assert(TG_KEYS <= 64, "tg_rule.set has a bit for each key");

#define POLICY    (1u << TG_SECTION_POLICY)
#define RULE      (1u << TG_SECTION_HOST | 1u << TG_SECTION_PROFILE)
#define DISTRUST  (1u << TG_SECTION_DISTRUST)
#define EXCEPTION (1u << TG_SECTION_EXCEPTION)

#define ONE  false
#define LIST true

/* The field, or the neighbouring fields, that a key sets. */
#define SPAN(type, first, last)                                                                    \
    offsetof(struct type, first), offsetof(struct type, last) + sizeof(((struct type *)0)->last) - \
                                      offsetof(struct type, first)
#define FIELD(type, field) SPAN(type, field, field)
#define NO_FIELD           0, 0
#define NO_WORDS           NULL, 0, 0

static const struct tg_key keys[TG_KEYS] = {
    {"profile", TG_KEY_PROFILE, RULE, TG_TYPE_PROFILE, ONE, FIELD(tg_rule, profile), NO_WORDS},
    {"program", TG_KEY_PROGRAM, RULE, TG_TYPE_PROGRAMS, LIST, SPAN(tg_rule, programs, realpaths),
     NO_WORDS},
    {"action", TG_KEY_ACTION, RULE, TG_TYPE_CHOICE, ONE, FIELD(tg_rule, action), actions, 0, 0},
    {"mode", TG_KEY_MODE, RULE, TG_TYPE_CHOICE, ONE, FIELD(tg_rule, mode), modes, 0, 0},
    {"anchors", TG_KEY_ANCHORS, RULE, TG_TYPE_ANCHORS, LIST, SPAN(tg_rule, anchors, anchors_system),
     NO_WORDS},
    {"anchors-only", TG_KEY_ANCHORS_ONLY, RULE, TG_TYPE_YES_NO, ONE, FIELD(tg_rule, anchors_only),
     NO_WORDS},
    {"intermediates", TG_KEY_INTERMEDIATES, RULE, TG_TYPE_CERTIFICATES, LIST,
     FIELD(tg_rule, intermediates), NO_WORDS},
    {"hostname", TG_KEY_HOSTNAME, RULE, TG_TYPE_HOSTNAMES, LIST, FIELD(tg_rule, hostnames),
     NO_WORDS},
    {"insecure-skip-hostname", TG_KEY_SKIP_HOSTNAME, RULE, TG_TYPE_YES_NO, ONE,
     FIELD(tg_rule, skip_hostname), NO_WORDS},
    {"trust-certificate", TG_KEY_TRUST_CERTIFICATE, RULE, TG_TYPE_LEAVES, LIST,
     FIELD(tg_rule, trusted_leaves), NO_WORDS},
    {"leaf-pin", TG_KEY_LEAF_PIN, RULE, TG_TYPE_PINS, LIST, FIELD(tg_rule, leaf_pins), NO_WORDS},
    {"ca-pin", TG_KEY_CA_PIN, RULE, TG_TYPE_PINS, LIST, FIELD(tg_rule, ca_pins), NO_WORDS},
    {"pin", TG_KEY_PIN, RULE, TG_TYPE_PINS, LIST, FIELD(tg_rule, path_pins), NO_WORDS},
    {"known-hosts", TG_KEY_KNOWN_HOSTS, RULE, TG_TYPE_KNOWN, ONE, FIELD(tg_rule, known_hosts),
     NO_WORDS},
    {"pins-expire", TG_KEY_PINS_EXPIRE, RULE, TG_TYPE_TIME, ONE, FIELD(tg_rule, pins_expire),
     NO_WORDS},
    {"verify-time", TG_KEY_VERIFY_TIME, RULE, TG_TYPE_TIME, ONE, FIELD(tg_rule, verify_time),
     NO_WORDS},
    {"insecure-skip-dates", TG_KEY_SKIP_DATES, RULE, TG_TYPE_YES_NO, ONE,
     FIELD(tg_rule, skip_dates), NO_WORDS},
    {"purpose", TG_KEY_PURPOSE, RULE, TG_TYPE_CHOICE, ONE, FIELD(tg_rule, purpose), purposes, 0, 0},
    {"strict", TG_KEY_STRICT, RULE, TG_TYPE_YES_NO, ONE, FIELD(tg_rule, strict), NO_WORDS},
    {"revocation", TG_KEY_REVOCATION, RULE, TG_TYPE_CHOICE, ONE, FIELD(tg_rule, revocation),
     revocations, 0, 0},
    {"crl", TG_KEY_CRL, RULE, TG_TYPE_CRLS, LIST, SPAN(tg_rule, crls, crl_moments), NO_WORDS},
    {"min-tls", TG_KEY_MIN_TLS, RULE, TG_TYPE_CHOICE, ONE, FIELD(tg_rule, min_tls), tls_versions, 0,
     0},
    {"min-rsa-bits", TG_KEY_MIN_RSA_BITS, RULE, TG_TYPE_NUMBER, ONE, FIELD(tg_rule, min_rsa_bits),
     NULL, 512, 16384},
    {"security-level", TG_KEY_SECURITY_LEVEL, RULE, TG_TYPE_NUMBER, ONE,
     FIELD(tg_rule, security_level), NULL, 0, 5},
    {"mode", TG_KEY_DEFAULT_MODE, POLICY, TG_TYPE_CHOICE, ONE, FIELD(tg_policy, mode), modes, 0, 0},
    {"unmatched", TG_KEY_UNMATCHED, POLICY, TG_TYPE_CHOICE, ONE, FIELD(tg_policy, unmatched),
     unmatched, 0, 0},
    {"insecure-unknown-host", TG_KEY_UNKNOWN_HOST, POLICY, TG_TYPE_FLAG, ONE,
     FIELD(tg_policy, unknown_host_app), unknown_hosts, 0, 0},
    {"log", TG_KEY_LOG, POLICY, TG_TYPE_LOG, LIST, SPAN(tg_policy, log_sinks, log_file), NO_WORDS},
    {"log-format", TG_KEY_LOG_FORMAT, POLICY, TG_TYPE_FLAG, ONE, FIELD(tg_policy, log_json),
     log_formats, 0, 0},
    {"log-level", TG_KEY_LOG_LEVEL, POLICY, TG_TYPE_FLAG, ONE, FIELD(tg_policy, log_all),
     log_levels, 0, 0},
    {"include", TG_KEY_INCLUDE, POLICY, TG_TYPE_INCLUDE, LIST, NO_FIELD, NO_WORDS},
    {"locked", TG_KEY_LOCKED, POLICY, TG_TYPE_YES_NO, ONE, FIELD(tg_policy, locked), NO_WORDS},
    {"reload", TG_KEY_RELOAD, POLICY, TG_TYPE_YES_NO, ONE, FIELD(tg_policy, reload), NO_WORDS},
    {"certificate", TG_KEY_DISTRUST_CERTIFICATE, DISTRUST, TG_TYPE_LEAVES, LIST, NO_FIELD,
     NO_WORDS},
    {"spki", TG_KEY_DISTRUST_SPKI, DISTRUST, TG_TYPE_PINS, LIST, NO_FIELD, NO_WORDS},
    {"host", TG_KEY_EXCEPTION_HOST, EXCEPTION, TG_TYPE_HOST, ONE, SPAN(tg_exception, host, port),
     NO_WORDS},
    {"certificate", TG_KEY_EXCEPTION_CERTIFICATE, EXCEPTION, TG_TYPE_FINGERPRINT, ONE,
     FIELD(tg_exception, leaf), NO_WORDS},
    {"findings", TG_KEY_EXCEPTION_FINDINGS, EXCEPTION, TG_TYPE_FINDINGS, LIST,
     FIELD(tg_exception, findings), NO_WORDS},
    {"expires", TG_KEY_EXCEPTION_EXPIRES, EXCEPTION, TG_TYPE_TIME, ONE,
     FIELD(tg_exception, expires), NO_WORDS},
    {"note", TG_KEY_EXCEPTION_NOTE, EXCEPTION, TG_TYPE_TEXT, ONE, FIELD(tg_exception, note),
     NO_WORDS},
};

const struct tg_section_info *tg_section_info(enum tg_section_kind kind)
{
    return &sections[kind];
}

enum tg_section_kind tg_section_by_name(const char *name)
{
    int kind = 0;

    while (kind < TG_SECTION_KINDS && strcmp(sections[kind].name, name) != 0)
        kind++;
    return kind;
}

const struct tg_key *tg_key_info(enum tg_key_id id)
{
    return &keys[id];
}

const struct tg_key *tg_key_find(enum tg_section_kind kind, const char *name)
{
    for (int id = 0; id < TG_KEYS; id++)
        if (keys[id].sections >> kind & 1 && strcmp(keys[id].name, name) == 0)
            return &keys[id];
    return NULL;
}

const char *tg_section_hint(struct tg_arena *arena, const char *word)
{
    struct tg_hint hint = {.wanted = word};

    for (int kind = 0; kind < TG_SECTION_KINDS; kind++)
        tg_hint_offer(&hint, sections[kind].name);
    return tg_hint_text(arena, &hint);
}

const char *tg_key_hint(struct tg_arena *arena, enum tg_section_kind kind, const char *word)
{
    struct tg_hint hint = {.wanted = word};

    for (int other = 0; other < TG_SECTION_KINDS; other++)
        if (tg_key_find(other, word) != NULL)
            return tg_arena_sentence(arena, "it belongs in %s%s", sections[other].form,
                                     other == TG_SECTION_HOST ? " or [profile NAME]" : "");
    for (int id = 0; id < TG_KEYS; id++)
        if (keys[id].sections >> kind & 1)
            tg_hint_offer(&hint, keys[id].name);
    return tg_hint_text(arena, &hint);
}
