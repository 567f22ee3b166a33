#include "translate.h"
#include "hash.h"
#include "host.h"
#include "pin.h"
#include "text.h"
#include "value.h"
#include <string.h>
#include <strings.h>

/* What is inherited is written for each host: a small file could ask for gigabytes. */
enum { LARGEST_POLICY = 8 << 20 };

void tg_translation_clear(struct tg_translation *out)
{
    tg_buf_free(&out->policy);
    tg_buf_free(&out->said);
    tg_arena_free(out->arena);
}

__attribute__((format(printf, 4, 0))) static void
say(struct tg_translation *out, unsigned line, const char *what, const char *format, va_list args)
{
    struct tg_buf text = {0};

    tg_buf_vprintf(&text, format, args);
    tg_buf_escape(&out->said, out->file, strlen(out->file));
    tg_buf_printf(&out->said, ":%u: %s", line, what);
    if (text.length > 0)
        tg_buf_escape(&out->said, text.text, text.length);
    tg_buf_add(&out->said, "\n");
    out->said.failed |= text.failed;
    tg_buf_free(&text);
}

void tg_translate_gap(struct tg_translation *out, const tg_xml_node *node, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(out, tg_xml_line(node), "", format, args);
    va_end(args);
    out->gaps++;
}

void tg_translate_gap_at(struct tg_translation *out, unsigned line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(out, line, "", format, args);
    va_end(args);
    out->gaps++;
}

void tg_translate_error(struct tg_translation *out, const tg_xml_node *node, const char *format,
                        ...)
{
    va_list args;

    va_start(args, format);
    say(out, tg_xml_line(node), "error: ", format, args);
    va_end(args);
    out->errors++;
}

void tg_translate_error_at(struct tg_translation *out, unsigned line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(out, line, "error: ", format, args);
    va_end(args);
    out->errors++;
}

const char *tg_translate_alike(const char *word, const char *const *known)
{
    for (; *known != NULL; known++)
        if (strcasecmp(word, *known) == 0)
            return strcmp(word, *known) != 0 ? *known : NULL;
    return NULL;
}

char *tg_translate_text(struct tg_translation *out, const tg_xml_node *node)
{
    if (tg_xml_first(node) == NULL)
        return tg_xml_text(node);
    tg_translate_error(out, node, "<%s> has elements in it, and only text is understood",
                       tg_xml_name(node));
    return NULL;
}

bool tg_translate_host(struct tg_translation *out, const tg_xml_node *node, const char *name,
                       char host[TG_HOST_SIZE])
{
    if (name != NULL && tg_host_spell(name, host))
        return true;
    tg_translate_error(out, node, "'%s' is no host name", name != NULL ? name : "");
    return false;
}

void tg_translate_patterns(struct tg_buf *patterns, const char *host, bool subdomains)
{
    char canonical[TG_HOST_SIZE];

    tg_buf_printf(patterns, strchr(host, ':') != NULL ? " [%s]" : " %s", host);
    if (subdomains && tg_host_canonical(host, canonical) == TG_HOST_NAME)
        tg_buf_printf(patterns, " *.%s", host);
}

bool tg_translate_enter(struct tg_translation *out, const tg_xml_node *node, struct tg_item *item)
{
    if (item == NULL || item->text == NULL) {
        out->policy.failed = true;
        return false;
    }
    item->length = strlen(item->text);
    if (tg_table_get(&out->table, item->tag, item->text, item->length) != NULL) {
        tg_translate_error(out, node, "there is an entry for %s already", item->text);
        return false;
    }
    out->policy.failed |= !tg_table_put(out->arena, &out->table, item);
    return !out->policy.failed;
}

void tg_translate_pin(struct tg_translation *out, const tg_xml_node *node, struct tg_buf *pins,
                      const char *key, const char *base64)
{
    struct tg_buf word = {0};
    uint8_t digest[TG_SHA256_SIZE];
    char pin[TG_PIN_SIZE];
    const char *wrong;

    tg_buf_printf(&word, "sha256/%s", base64 != NULL ? base64 : "");
    wrong = word.failed ? tg_no_memory : tg_pin_read(out->arena, word.text, digest);
    if (wrong != NULL) {
        tg_translate_error(out, node,
                           "the pin '%s' is not the 44 base64 characters of a SHA-256 digest",
                           base64 != NULL ? base64 : "");
    } else {
        tg_pin_text(digest, pin);
        tg_buf_printf(pins, "%s = %s\n", key, pin);
    }
    tg_buf_free(&word);
}

void tg_translate_expiry(struct tg_translation *out, const tg_xml_node *node, struct tg_buf *expiry,
                         const char *date)
{
    time_t when;
    const char *wrong = date != NULL ? tg_value_time(out->arena, date, &when) : "a date is missing";

    if (wrong != NULL)
        tg_translate_gap(out, node, "%s: the pins don't expire", wrong);
    else
        tg_buf_printf(expiry, "pins-expire = %s\n", date);
}

/* ---- rules --------------------------------------------------------------------------------- */

static bool holds(const struct tg_buf *buf)
{
    return buf != NULL && buf->length > 0;
}

static bool demands_pins(const struct tg_draft *draft)
{
    return holds(draft->pins) && !draft->reported;
}

static void add(struct tg_buf *rule, const struct tg_buf *lines)
{
    if (holds(lines))
        tg_buf_addn(rule, lines->text, lines->length);
    rule->failed |= lines != NULL && lines->failed;
}

/* The pins of DRAFT; what else the rule demands, and for ever, is not to end with them. */
static void add_pins(struct tg_translation *out, struct tg_buf *rule, const struct tg_draft *draft,
                     bool enforced, bool timeless)
{
    if (draft->reported && enforced) {
        if (holds(draft->pins))
            tg_translate_gap(out, draft->node,
                             "the pins aren't enforced and are left out, for the rest of the rule "
                             "is enforced");
        return;
    }
    if (draft->reported)
        tg_buf_add(rule, "mode = report\n");
    add(rule, draft->pins);
    if (holds(draft->expiry) && timeless)
        tg_translate_gap(out, draft->node,
                         "the pins don't expire, for the host has others that don't");
    else
        add(rule, draft->expiry);
}

static void add_drafts(struct tg_translation *out, struct tg_buf *rule,
                       const struct tg_draft *drafts, size_t count)
{
    bool enforced = false, timeless = false;

    for (size_t i = 0; i < count; i++) {
        enforced |= holds(drafts[i].keys) || demands_pins(&drafts[i]);
        timeless |= demands_pins(&drafts[i]) && !holds(drafts[i].expiry);
    }
    for (size_t i = 0; i < count; i++) {
        add(rule, drafts[i].keys);
        if (!drafts[i].excluded)
            add_pins(out, rule, &drafts[i], enforced, timeless);
        else if (!enforced)
            tg_buf_add(rule, "action = pass\n");
    }
}

void tg_translate_rule(struct tg_translation *out, const struct tg_buf *patterns,
                       const struct tg_draft *drafts, size_t count)
{
    struct tg_buf rule = {0};

    if (out->errors > 0 || !holds(patterns))
        return;
    add_drafts(out, &rule, drafts, count);
    if (out->policy.length + patterns->length + rule.length > LARGEST_POLICY) {
        tg_translate_error(out, drafts[0].node, "the policy of it would be larger than %d MiB",
                           LARGEST_POLICY >> 20);
    } else if (rule.length > 0) {
        for (size_t i = 0; i < count; i++)
            tg_buf_printf(&out->policy, i == 0 ? "\n# line %u" : ", %u",
                          tg_xml_line(drafts[i].node));
        tg_buf_printf(&out->policy, "\n[host%s]\n%s", patterns->text, rule.text);
    }
    out->policy.failed |= patterns->failed || rule.failed;
    tg_buf_free(&rule);
}
