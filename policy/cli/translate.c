#include "translate.h"
#include "hash.h"
#include "value.h"
#include <stdlib.h>
#include <string.h>

void tg_translate_gap(struct tg_translation *out, const tg_xml_node *node, const char *format, ...)
{
    struct tg_buf text = {0};
    va_list args;

    va_start(args, format);
    tg_buf_vprintf(&text, format, args);
    va_end(args);
    tg_buf_escape(&out->said, out->file, strlen(out->file));
    tg_buf_printf(&out->said, ":%u: ", tg_xml_line(node));
    if (text.length > 0)
        tg_buf_escape(&out->said, text.text, text.length);
    tg_buf_add(&out->said, "\n");
    out->said.failed |= text.failed;
    tg_buf_free(&text);
    out->gaps++;
}

void tg_draft_host(struct tg_translation *out, struct tg_draft *draft, const tg_xml_node *node,
                   const char *name, bool subdomains)
{
    char host[TG_HOST_SIZE];
    enum tg_host_kind kind = name != NULL ? tg_host_canonical(name, host) : TG_HOST_INVALID;

    if (kind != TG_HOST_NAME && kind != TG_HOST_ADDRESS) {
        tg_translate_gap(out, node, "'%s' is no host name", name != NULL ? name : "");
        return;
    }
    tg_buf_printf(&draft->patterns, strchr(host, ':') != NULL ? " [%s]" : " %s", host);
    if (subdomains && kind == TG_HOST_NAME)
        tg_buf_printf(&draft->patterns, " *.%s", host);
}

void tg_draft_pin(struct tg_translation *out, struct tg_draft *draft, const tg_xml_node *node,
                  const char *key, const char *base64)
{
    struct tg_arena *arena = tg_arena_new();
    struct tg_buf word = {0};
    uint8_t digest[TG_SHA256_SIZE];
    char pin[52];
    const char *wrong = "memory ran out";

    tg_buf_printf(&word, "sha256/%s", base64 != NULL ? base64 : "");
    if (arena != NULL && !word.failed)
        wrong = tg_value_pin(arena, word.text, digest);
    if (wrong != NULL) {
        tg_translate_gap(out, node, "the pin '%s' %s", base64 != NULL ? base64 : "", wrong);
    } else {
        tg_hash_pin_text(digest, pin);
        tg_draft_set(draft, key, pin);
    }
    tg_buf_free(&word);
    tg_arena_free(arena);
}

void tg_draft_expiry(struct tg_translation *out, struct tg_draft *draft, const tg_xml_node *node,
                     const char *date)
{
    struct tg_arena *arena = tg_arena_new();
    const char *wrong = "memory ran out";
    time_t when;

    if (arena != NULL && date != NULL)
        wrong = tg_value_time(arena, date, &when);
    if (wrong != NULL)
        tg_translate_gap(out, node, "the date '%s' %s: the pins don't expire",
                         date != NULL ? date : "", wrong);
    else
        tg_draft_set(draft, "pins-expire", date);
    tg_arena_free(arena);
}

void tg_draft_set(struct tg_draft *draft, const char *key, const char *value)
{
    tg_buf_printf(&draft->keys, "%s = %s\n", key, value);
}

void tg_draft_end(struct tg_translation *out, struct tg_draft *draft)
{
    if (draft->patterns.length > 0 && draft->keys.length > 0) {
        tg_buf_printf(&out->policy, "\n# line %u\n[host%s]\n%s", draft->line, draft->patterns.text,
                      draft->keys.text);
    }
    out->policy.failed |= draft->patterns.failed || draft->keys.failed;
    tg_buf_free(&draft->patterns);
    tg_buf_free(&draft->keys);
}
