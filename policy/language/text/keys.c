#include "keys.h"
#include "hint.h"
#include <string.h>

static const struct tg_section_info sections[] = {
    [TG_SECTION_POLICY] = {"policy", 0, 0, "[policy]"},
    [TG_SECTION_HOST] = {"host", 1, ~0u, "[host PATTERN ...]"},
    [TG_SECTION_PROFILE] = {"profile", 1, 1, "[profile NAME]"},
    [TG_SECTION_DISTRUST] = {"distrust", 0, 0, "[distrust]"},
    [TG_SECTION_EXCEPTION] = {"exception", 1, 1, "[exception NAME]"},
};

_Static_assert(sizeof(sections) / sizeof(sections[0]) == TG_SECTION_KINDS, "each has a row");

/* What each choice is called, by the enumerator or the bool that it stands for. NULL ends them. */
static const char *const actions[] = {[TG_ACTION_EVALUATE] = "evaluate",
                                      [TG_ACTION_PASS] = "pass",
                                      [TG_ACTION_REJECT] = "reject",
                                      NULL};
static const char *const modes[] = {
    [TG_MODE_ENFORCE] = "enforce", [TG_MODE_REPORT] = "report", NULL};
static const char *const unmatched[] = {[TG_UNMATCHED_APP] = "app",
                                        [TG_UNMATCHED_VERIFY] = "verify",
                                        [TG_UNMATCHED_REJECT] = "reject",
                                        NULL};
static const char *const unknown_hosts[] = {[false] = "reject", [true] = "app", NULL};
static const char *const purposes[] = {
    [TG_PURPOSE_TLS_SERVER] = "tls-server", [TG_PURPOSE_ANY] = "any", NULL};
static const char *const log_formats[] = {[false] = "text", [true] = "json", NULL};
static const char *const log_levels[] = {[false] = "rejected", [true] = "all", NULL};
static const char *const revocations[] = {[TG_REVOCATION_NONE] = "none",
                                          [TG_REVOCATION_CRL] = "crl",
                                          [TG_REVOCATION_CRL_CHAIN] = "crl-chain",
                                          [TG_REVOCATION_STAPLE] = "staple",
                                          [TG_REVOCATION_STAPLE_REQUIRED] = "staple-required",
                                          NULL};
static const char *const tls_versions[] = {
    [TG_MIN_TLS_1_2] = "1.2", [TG_MIN_TLS_1_3] = "1.3", NULL};

/* What is stored of a choice is its index in one of these. */
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
    .offset = offsetof(struct type, first), .size = offsetof(struct type, last) +                  \
                                                    sizeof(((struct type *)0)->last) -             \
                                                    offsetof(struct type, first)
#define FIELD(type, field) SPAN(type, field, field)

/* A key by its number; what isn't given is 0 or NULL: it has no field, no choices, no limits. */
#define ROW(key, word, where, many, kind, ...)                                                     \
    [key] = {.name = word, .id = key, .sections = where, .list = many, .type = kind, __VA_ARGS__}

static const struct tg_key keys[] = {
    ROW(TG_KEY_PROFILE, "profile", RULE, ONE, TG_TYPE_PROFILE, FIELD(tg_rule, profile)),
    ROW(TG_KEY_PROGRAM, "program", RULE, LIST, TG_TYPE_PROGRAMS,
        SPAN(tg_rule, programs, realpaths)),
    ROW(TG_KEY_ACTION, "action", RULE, ONE, TG_TYPE_CHOICE, FIELD(tg_rule, action),
        .choices = actions),
    ROW(TG_KEY_MODE, "mode", RULE, ONE, TG_TYPE_CHOICE, FIELD(tg_rule, mode), .choices = modes),
    ROW(TG_KEY_ANCHORS, "anchors", RULE, LIST, TG_TYPE_ANCHORS,
        SPAN(tg_rule, anchors, anchors_system)),
    ROW(TG_KEY_ANCHORS_ONLY, "anchors-only", RULE, ONE, TG_TYPE_YES_NO,
        FIELD(tg_rule, anchors_only)),
    ROW(TG_KEY_INTERMEDIATES, "intermediates", RULE, LIST, TG_TYPE_CERTIFICATES,
        FIELD(tg_rule, intermediates)),
    ROW(TG_KEY_HOSTNAME, "hostname", RULE, LIST, TG_TYPE_HOSTNAMES, FIELD(tg_rule, hostnames)),
    ROW(TG_KEY_SKIP_HOSTNAME, "insecure-skip-hostname", RULE, ONE, TG_TYPE_YES_NO,
        FIELD(tg_rule, skip_hostname)),
    ROW(TG_KEY_TRUST_CERTIFICATE, "trust-certificate", RULE, LIST, TG_TYPE_LEAVES,
        FIELD(tg_rule, trusted_leaves)),
    ROW(TG_KEY_LEAF_PIN, "leaf-pin", RULE, LIST, TG_TYPE_PINS, FIELD(tg_rule, leaf_pins)),
    ROW(TG_KEY_CA_PIN, "ca-pin", RULE, LIST, TG_TYPE_PINS, FIELD(tg_rule, ca_pins)),
    ROW(TG_KEY_PIN, "pin", RULE, LIST, TG_TYPE_PINS, FIELD(tg_rule, path_pins)),
    ROW(TG_KEY_KNOWN_HOSTS, "known-hosts", RULE, ONE, TG_TYPE_KNOWN, FIELD(tg_rule, known_hosts)),
    ROW(TG_KEY_PINS_EXPIRE, "pins-expire", RULE, ONE, TG_TYPE_TIME, FIELD(tg_rule, pins_expire)),
    ROW(TG_KEY_VERIFY_TIME, "verify-time", RULE, ONE, TG_TYPE_TIME, FIELD(tg_rule, verify_time)),
    ROW(TG_KEY_SKIP_DATES, "insecure-skip-dates", RULE, ONE, TG_TYPE_YES_NO,
        FIELD(tg_rule, skip_dates)),
    ROW(TG_KEY_PURPOSE, "purpose", RULE, ONE, TG_TYPE_CHOICE, FIELD(tg_rule, purpose),
        .choices = purposes),
    ROW(TG_KEY_STRICT, "strict", RULE, ONE, TG_TYPE_YES_NO, FIELD(tg_rule, strict)),
    ROW(TG_KEY_REVOCATION, "revocation", RULE, ONE, TG_TYPE_CHOICE, FIELD(tg_rule, revocation),
        .choices = revocations),
    ROW(TG_KEY_CRL, "crl", RULE, LIST, TG_TYPE_CRLS, SPAN(tg_rule, crls, crl_moments)),
    ROW(TG_KEY_MIN_TLS, "min-tls", RULE, ONE, TG_TYPE_CHOICE, FIELD(tg_rule, min_tls),
        .choices = tls_versions),
    ROW(TG_KEY_MIN_RSA_BITS, "min-rsa-bits", RULE, ONE, TG_TYPE_NUMBER,
        FIELD(tg_rule, min_rsa_bits), .least = 512, .most = 16384),
    ROW(TG_KEY_SECURITY_LEVEL, "security-level", RULE, ONE, TG_TYPE_NUMBER,
        FIELD(tg_rule, security_level), .least = 0, .most = 5),
    ROW(TG_KEY_DEFAULT_MODE, "mode", POLICY, ONE, TG_TYPE_CHOICE, FIELD(tg_policy, mode),
        .choices = modes),
    ROW(TG_KEY_UNMATCHED, "unmatched", POLICY, ONE, TG_TYPE_CHOICE, FIELD(tg_policy, unmatched),
        .choices = unmatched),
    ROW(TG_KEY_UNKNOWN_HOST, "insecure-unknown-host", POLICY, ONE, TG_TYPE_FLAG,
        FIELD(tg_policy, unknown_host_app), .choices = unknown_hosts),
    ROW(TG_KEY_LOG, "log", POLICY, LIST, TG_TYPE_LOG, SPAN(tg_policy, log_sinks, log_file)),
    ROW(TG_KEY_LOG_FORMAT, "log-format", POLICY, ONE, TG_TYPE_FLAG, FIELD(tg_policy, log_json),
        .choices = log_formats),
    ROW(TG_KEY_LOG_LEVEL, "log-level", POLICY, ONE, TG_TYPE_FLAG, FIELD(tg_policy, log_all),
        .choices = log_levels),
    ROW(TG_KEY_INCLUDE, "include", POLICY, LIST, TG_TYPE_INCLUDE),
    ROW(TG_KEY_LOCKED, "locked", POLICY, ONE, TG_TYPE_YES_NO, FIELD(tg_policy, locked)),
    ROW(TG_KEY_RELOAD, "reload", POLICY, ONE, TG_TYPE_YES_NO, FIELD(tg_policy, reload)),
    ROW(TG_KEY_LAZY_ANCHORS, "lazy-anchors", POLICY, ONE, TG_TYPE_YES_NO,
        FIELD(tg_policy, lazy_anchors)),
    ROW(TG_KEY_DISTRUST_CERTIFICATE, "certificate", DISTRUST, LIST, TG_TYPE_LEAVES),
    ROW(TG_KEY_DISTRUST_SPKI, "spki", DISTRUST, LIST, TG_TYPE_PINS),
    ROW(TG_KEY_EXCEPTION_HOST, "host", EXCEPTION, ONE, TG_TYPE_HOST,
        SPAN(tg_exception, host, port)),
    ROW(TG_KEY_EXCEPTION_CERTIFICATE, "certificate", EXCEPTION, ONE, TG_TYPE_FINGERPRINT,
        FIELD(tg_exception, leaf)),
    ROW(TG_KEY_EXCEPTION_FINDINGS, "findings", EXCEPTION, LIST, TG_TYPE_FINDINGS,
        FIELD(tg_exception, findings)),
    ROW(TG_KEY_EXCEPTION_EXPIRES, "expires", EXCEPTION, ONE, TG_TYPE_TIME,
        FIELD(tg_exception, expires)),
    ROW(TG_KEY_EXCEPTION_NOTE, "note", EXCEPTION, ONE, TG_TYPE_TEXT, FIELD(tg_exception, note)),
};

_Static_assert(sizeof(keys) / sizeof(keys[0]) == TG_KEYS, "each key has a row");

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
