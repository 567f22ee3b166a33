/* lint.c - what is valid in a policy but probably not meant, or won't hold for long. */
#include "lint.h"
#include "hash.h"
#include "holding.h"
#include "match.h"
#include "pattern.h"
#include "program.h"
#include "table.h"
#include "write.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct lint {
    const tg_policy *policy;
    time_t now, within, crl_within; /* how long before its end something is warned of */
    struct tg_diags *diags;
    struct tg_arena *arena;
    struct tg_table seen; /* the addresses of what rules share through a profile */
};

static void say(struct lint *lint, const struct tg_where *where, struct tg_buf *text)
{
    if (text->failed)
        lint->diags->lost = true;
    else
        tg_diag_add(lint->diags, TG_WARNING, where->file, where->line, where->column, NULL, "%s",
                    text->text);
    tg_buf_free(text);
}

__attribute__((format(printf, 3, 4))) static void
warn(struct lint *lint, const struct tg_rule *rule, const char *format, ...)
{
    struct tg_buf text = {0};
    va_list args;

    va_start(args, format);
    tg_buf_vprintf(&text, format, args);
    va_end(args);
    tg_buf_printf(&text, ", in [host %s%s]", rule->patterns.word[0],
                  rule->patterns.count > 1 ? " ..." : "");
    say(lint, &rule->where, &text);
}

__attribute__((format(printf, 3, 4))) static void
warn_exception(struct lint *lint, const struct tg_exception *exception, const char *format, ...)
{
    struct tg_buf text = {0};
    va_list args;

    va_start(args, format);
    tg_buf_vprintf(&text, format, args);
    va_end(args);
    tg_buf_printf(&text, ", in [exception %s]", exception->name);
    say(lint, &exception->where, &text);
}

/* What a profile gave to many rules is warned of once, as WHAT, at the first of them. */
static bool is_new(struct lint *lint, const char *what, const void *shared)
{
    struct tg_item *item;

    if (shared == NULL || tg_table_get(&lint->seen, (uintptr_t)shared, what, strlen(what)) != NULL)
        return false;
    item = tg_arena_alloc(lint->arena, sizeof(*item));
    if (item != NULL)
        *item = (struct tg_item){(uintptr_t)shared, what, strlen(what)};
    if (item == NULL || !tg_table_put(lint->arena, &lint->seen, item))
        lint->diags->lost = true;
    return true;
}

static bool is_set(const struct tg_rule *rule, enum tg_key_id id)
{
    return (rule->set & TG_KEY_BIT(id)) != 0;
}

static bool has_pins(const struct tg_rule *rule)
{
    return rule->leaf_pins.count > 0 || rule->ca_pins.count > 0 || rule->path_pins.count > 0 ||
           rule->known_hosts != NULL;
}

/* "2027-01-01T00:00:00Z", or "?" without memory: the warning comes all the same. */
static const char *date(struct lint *lint, time_t when)
{
    struct tg_buf text = {0};
    const char *kept;

    tg_write_time(&text, when);
    kept =
        tg_arena_sentence(lint->arena, "%s", text.text != NULL && !text.failed ? text.text : "?");
    tg_buf_free(&text);
    return kept;
}

static void lint_pins_expire(struct lint *lint, const struct tg_rule *rule)
{
    const void *pins = rule->leaf_pins.digest;

    pins = pins != NULL ? pins : rule->ca_pins.digest;
    pins = pins != NULL ? pins : rule->path_pins.digest;
    pins = pins != NULL ? pins : rule->known_hosts;
    if (!is_set(rule, TG_KEY_PINS_EXPIRE) || (pins != NULL && !is_new(lint, "pins-expire", pins)))
        return;
    if (pins == NULL)
        warn(lint, rule, "pins-expire without leaf-pin, ca-pin, pin or known-hosts does nothing");
    else if (rule->pins_expire <= lint->now)
        warn(lint, rule, "the pins are not enforced: they expired %s",
             date(lint, rule->pins_expire));
    else if (rule->pins_expire - lint->now <= lint->within)
        warn(lint, rule, "the pins will not be enforced any more from %s on",
             date(lint, rule->pins_expire));
}

static bool is_single(const struct tg_digests *pins)
{
    for (size_t i = 1; pins->digest != NULL && i < pins->count; i++)
        if (memcmp(pins->digest[0], pins->digest[i], TG_SHA256_SIZE) != 0)
            return false;
    return pins->count > 0;
}

static void lint_backup(struct lint *lint, const struct tg_rule *rule)
{
    const struct {
        const char *key, *whose;
        const struct tg_digests *pins;
    } lists[] = {{"leaf-pin", "server", &rule->leaf_pins},
                 {"ca-pin", "CA", &rule->ca_pins},
                 {"pin", "server or CA", &rule->path_pins}};

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
        if (is_single(lists[i].pins) && is_new(lint, lists[i].key, lists[i].pins->digest))
            warn(lint, rule,
                 "%s names one key and no backup: when the %s's key changes, every "
                 "connection is refused",
                 lists[i].key, lists[i].whose);
}

static void lint_end(struct lint *lint, const struct tg_rule *rule, const char *key,
                     const X509 *certificate)
{
    struct tg_buf name = {0};
    time_t soon = lint->now + lint->within;
    const ASN1_TIME *end = X509_get0_notAfter(certificate);
    int from_now = ASN1_TIME_cmp_time_t(end, lint->now);

    if (from_now > 0 && ASN1_TIME_cmp_time_t(end, soon) > 0)
        return;
    tg_write_name(&name, X509_get_subject_name(certificate));
    tg_buf_add(&name, from_now > 0 ? " expires " : " expired ");
    tg_write_asn1_time(&name, end);
    if (name.failed)
        lint->diags->lost = true;
    else
        warn(lint, rule, "%s: %s", key, name.text);
    tg_buf_free(&name);
}

static void lint_ends(struct lint *lint, const struct tg_rule *rule)
{
    const struct {
        const char *key;
        const struct tg_holding *held;
    } lists[] = {{"anchors", rule->anchors}, {"intermediates", rule->intermediates}};

    if (rule->skip_dates || rule->verify_time != 0)
        return;
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        if (!is_new(lint, lists[i].key, lists[i].held))
            continue;
        for (size_t j = 0; j < tg_holding_count(lists[i].held); j++) {
            const X509 *certificate = tg_holding_get(lists[i].held, j);

            if (certificate != NULL)
                lint_end(lint, rule, lists[i].key, certificate);
            else
                lint->diags->lost = true;
        }
    }
}

/* A CRL that is out of date revokes still, but answers for nobody else. */
static void lint_crls(struct lint *lint, const struct tg_rule *rule)
{
    bool wanted =
        rule->revocation == TG_REVOCATION_CRL || rule->revocation == TG_REVOCATION_CRL_CHAIN;
    int count = is_new(lint, "crl", rule->crls) ? sk_X509_CRL_num(rule->crls) : 0;

    if (wanted && rule->crls == NULL)
        warn(lint, rule,
             "revocation by CRL without a crl file: every server is refused (revocation-unknown)");
    else if (!wanted && count > 0)
        warn(lint, rule, "crl is not looked at: revocation is neither crl nor crl-chain");
    for (int i = 0; i < count; i++) {
        const X509_CRL *crl = sk_X509_CRL_value(rule->crls, i);
        const ASN1_TIME *end = X509_CRL_get0_nextUpdate(crl);
        struct tg_buf text = {0};

        if (end == NULL || ASN1_TIME_cmp_time_t(end, lint->now + lint->crl_within) > 0)
            continue;
        tg_write_name(&text, X509_CRL_get_issuer(crl));
        tg_buf_add(&text, ASN1_TIME_cmp_time_t(end, lint->now) > 0 ? " will be out of date from "
                                                                   : " is out of date since ");
        tg_write_asn1_time(&text, end);
        if (text.failed)
            lint->diags->lost = true;
        else
            warn(lint, rule, "crl: that of %s", text.text);
        tg_buf_free(&text);
    }
}

static void lint_insecure(struct lint *lint, const struct tg_rule *rule)
{
    bool bound = has_pins(rule) || rule->anchors_only;

    if (rule->skip_hostname && !bound)
        warn(lint, rule,
             "insecure-skip-hostname without a pin or anchors-only: any certificate of any "
             "server is accepted");
    if (rule->skip_hostname && rule->hostnames.count > 0)
        warn(lint, rule, "hostname is not looked at: insecure-skip-hostname");
    if (rule->skip_dates && !bound)
        warn(lint, rule,
             "insecure-skip-dates without a pin or anchors-only: a key that "
             "was stolen long ago is accepted");
    if (rule->verify_time != 0 && !has_pins(rule))
        warn(lint, rule,
             "verify-time without a pin: the dates are checked at %s for ever, so that what "
             "expires is accepted",
             date(lint, rule->verify_time));
}

/* A host of PATTERN's; false for one that is too long to be one. */
static bool name_host(const struct tg_pattern *pattern, char host[TG_HOST_SIZE])
{
    int length = 0;

    if (pattern->kind == TG_PATTERN_ADDRESS)
        return inet_ntop(pattern->family, pattern->address, host, TG_HOST_SIZE) != NULL;
    if (pattern->kind == TG_PATTERN_ANY)
        length = snprintf(host, TG_HOST_SIZE, "host.invalid");
    else
        length = snprintf(host, TG_HOST_SIZE, "%s%s",
                          pattern->kind == TG_PATTERN_WILDCARD ? "host." : "", pattern->name);
    return length < TG_HOST_SIZE;
}

/* What proxies let pass unless they are told otherwise, as Squid's SSL_ports. */
#define PROXIED 443

/* Through a proxy a connection has the proxy's port; 1 stands for that of any. */
static void lint_ports(struct lint *lint, const struct tg_rule *rule)
{
    for (size_t i = 0; i < rule->patterns.count; i++) {
        struct tg_pattern pattern;
        char host[TG_HOST_SIZE];
        size_t column;
        struct tg_match match;

        if (tg_pattern_parse(lint->arena, rule->patterns.word[i], &pattern, &column) != NULL ||
            pattern.port == 0 || !name_host(&pattern, host) ||
            (pattern.port != PROXIED && rule->action != TG_ACTION_REJECT))
            continue;
        match = tg_policy_match(lint->policy, host, 1, NULL);
        if (match.kind != TG_MATCH_UNMATCHED ||
            (match.rule != NULL && match.rule->action == TG_ACTION_REJECT))
            continue;
        warn(lint, rule,
             "%s is for one port, and no rule for others: through a proxy, whose port counts, the "
             "host is one that no rule matches",
             rule->patterns.word[i]);
        return;
    }
}

static bool is_missing(const char *program)
{
    return program[0] == '/' && !tg_program_is_glob(program) && access(program, F_OK) != 0;
}

static void lint_programs(struct lint *lint, const struct tg_rule *rule)
{
    size_t missing = 0;

    if (rule->programs.count == 0 || !is_new(lint, "program", rule->programs.word))
        return;
    for (size_t i = 0; i < rule->programs.count; i++)
        missing += is_missing(rule->programs.word[i]);
    for (size_t i = 0; i < rule->programs.count; i++)
        if (is_missing(rule->programs.word[i]))
            warn(lint, rule, "program: there is no %s%s", rule->programs.word[i],
                 missing == rule->programs.count ? ", so that this rule can never apply" : "");
}

/* A profile's keys may well be meant for the other rules that name it. */
static void lint_action(struct lint *lint, const struct tg_rule *rule)
{
    uint64_t looked_at =
        TG_KEY_BIT(TG_KEY_PROGRAM) | TG_KEY_BIT(TG_KEY_ACTION) | TG_KEY_BIT(TG_KEY_MODE);

    if (rule->profile == NULL && rule->set & ~looked_at)
        warn(lint, rule, "action = %s: the other keys of this rule are not looked at",
             rule->action == TG_ACTION_PASS ? "pass" : "reject");
}

static void lint_rule(struct lint *lint, const struct tg_rule *rule)
{
    lint_programs(lint, rule);
    if (rule->action != TG_ACTION_PASS)
        lint_ports(lint, rule);
    if (rule->action != TG_ACTION_EVALUATE) {
        lint_action(lint, rule);
        return;
    }
    lint_pins_expire(lint, rule);
    lint_backup(lint, rule);
    lint_ends(lint, rule);
    lint_crls(lint, rule);
    lint_insecure(lint, rule);
}

static void lint_exception(struct lint *lint, const struct tg_exception *exception)
{
    struct tg_match match = tg_policy_match(lint->policy, exception->host, exception->port, NULL);
    const struct tg_rule *rule = match.rule;

    if (exception->expires != 0 && exception->expires <= lint->now)
        warn_exception(lint, exception, "it expired %s", date(lint, exception->expires));
    else if (exception->expires != 0 && exception->expires - lint->now <= lint->within)
        warn_exception(lint, exception, "it expires %s", date(lint, exception->expires));
    if (match.kind != TG_MATCH_UNKNOWN && (rule == NULL || rule->action != TG_ACTION_EVALUATE))
        warn_exception(lint, exception, "it can never apply: no rule evaluates %s",
                       exception->host);
}

static void lint_policy(struct lint *lint)
{
    const tg_policy *policy = lint->policy;

    if (lint->arena == NULL) {
        lint->diags->lost = true;
        return;
    }
    for (size_t i = 0; i < policy->rule_count; i++)
        lint_rule(lint, policy->rules[i]);
    for (size_t i = 0; i < policy->exception_count; i++)
        lint_exception(lint, &policy->exceptions[i]);
    tg_arena_free(lint->arena);
}

void tg_policy_lint(const tg_policy *policy, time_t now, struct tg_diags *diags)
{
    lint_policy(&(struct lint){policy, now, TG_LINT_WITHIN, 0, diags, tg_arena_new(), {0}});
}

void tg_policy_lint_within(const tg_policy *policy, time_t now, time_t within,
                           struct tg_diags *diags)
{
    lint_policy(&(struct lint){policy, now, within, within, diags, tg_arena_new(), {0}});
}
