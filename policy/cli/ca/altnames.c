#include "altnames.h"
#include "pattern.h"
#include "terminal.h"
#include "text.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* Why PATTERN can't be a name of a certificate, or with BLOCKS what a CA is for; or NULL. */
static const char *fault(const struct tg_pattern *pattern, bool blocks)
{
    unsigned whole = pattern->family == AF_INET ? 32 : 128;

    if (pattern->port != 0)
        return "has a port: certificates are for names and addresses";
    if (pattern->kind == TG_PATTERN_ANY || (blocks && pattern->kind == TG_PATTERN_WILDCARD))
        return blocks ? "isn't a domain, which stands for all names below it too"
                      : "stands for every name: one certificate can't";
    if (pattern->kind == TG_PATTERN_WILDCARD && strchr(pattern->name, '.') == NULL)
        return "is a wildcard with one label behind it, which no program accepts: two have to "
               "follow, as in *.home.arpa";
    if (pattern->kind == TG_PATTERN_ADDRESS && !blocks && pattern->prefix != whole)
        return "is a block of addresses: certificates hold single ones";
    return NULL;
}

bool tg_altnames_read(struct tg_altnames *names, char *const *words, size_t count, bool blocks)
{
    struct tg_arena *arena = tg_arena_new();
    const char *wrong = arena == NULL ? "can't be read: memory ran out" : NULL;
    size_t column;

    names->item = calloc(count + 1, sizeof(*names->item));
    if (names->item == NULL)
        wrong = "can't be read: memory ran out";
    for (size_t i = 0; i < count && wrong == NULL; i++) {
        struct tg_pattern *pattern = &names->item[names->count++];

        wrong = tg_pattern_parse(arena, words[i], pattern, &column);
        if (wrong != NULL) {
            tg_complain("%s", wrong); /* it quotes the word */
        } else {
            wrong = fault(pattern, blocks);
            if (wrong != NULL)
                tg_complain("'%s' %s", words[i], wrong);
        }
    }
    tg_arena_free(arena);
    return wrong == NULL;
}

static void add_name(struct tg_buf *out, const struct tg_pattern *name)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (name->kind == TG_PATTERN_ADDRESS)
        inet_ntop(name->family, name->address, text, sizeof(text));
    tg_buf_printf(out, "%s%s", name->kind == TG_PATTERN_WILDCARD ? "*." : "",
                  name->kind == TG_PATTERN_ADDRESS ? text : name->name);
}

void tg_altnames_text(struct tg_buf *out, const struct tg_altnames *names, const char *separator)
{
    for (size_t i = 0; i < names->count; i++) {
        tg_buf_add(out, i > 0 ? separator : "");
        add_name(out, &names->item[i]);
    }
}

void tg_altnames_san(struct tg_buf *out, const struct tg_altnames *names)
{
    for (size_t i = 0; i < names->count; i++) {
        bool address = names->item[i].kind == TG_PATTERN_ADDRESS;

        tg_buf_printf(out, "%s%s:", i > 0 ? "," : "", address ? "IP" : "DNS");
        add_name(out, &names->item[i]);
    }
}

/* An address block as RFC 5280 section 4.2.1.10 has it: "10.0.0.0/255.0.0.0". */
static void add_block(struct tg_buf *out, const struct tg_pattern *block)
{
    uint8_t mask[16] = {0};
    char text[INET6_ADDRSTRLEN] = "";

    for (unsigned bit = 0; bit < block->prefix; bit++)
        mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    add_name(out, block);
    inet_ntop(block->family, mask, text, sizeof(text));
    tg_buf_printf(out, "/%s", text);
}

/*
 * A constraint on one kind of name leaves the other kinds free (RFC 5280 section 4.2.1.10), so
 * that a CA for a domain could still speak for any address, and the reverse: both are closed.
 * ".invalid" is a domain that nobody has (RFC 2606).
 */
void tg_altnames_constraints(struct tg_buf *out, const struct tg_altnames *only)
{
    bool names = false, addresses = false;

    tg_buf_add(out, "critical");
    for (size_t i = 0; i < only->count; i++) {
        bool address = only->item[i].kind == TG_PATTERN_ADDRESS;

        tg_buf_printf(out, ",permitted;%s:", address ? "IP" : "DNS");
        if (address)
            add_block(out, &only->item[i]);
        else
            add_name(out, &only->item[i]);
        names |= !address;
        addresses |= address;
    }
    if (!addresses)
        tg_buf_add(out, ",excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::");
    if (!names)
        tg_buf_add(out, ",permitted;DNS:invalid");
}
