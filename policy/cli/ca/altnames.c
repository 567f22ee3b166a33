#include "altnames.h"
#include "host.h"
#include "pattern.h"
#include "terminal.h"
#include "text.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { DNS_MOST = 253 }; /* RFC 1035 section 3.1, as text */

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
    if (pattern->kind == TG_PATTERN_WILDCARD && strlen(pattern->name) + 2 > DNS_MOST)
        return "is longer than the 253 bytes that a name has at most";
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

/* ---- those of certificates and requests ---- */

enum { TAKEN_MOST = 100 };

/* The spelling of NAME on the command line in WORD; or why it can't be one of ours. */
static const char *spell(const GENERAL_NAME *name, char word[TG_HOST_SIZE])
{
    const ASN1_STRING *text = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
    const char *data = (const char *)ASN1_STRING_get0_data(text);
    size_t length = (size_t)ASN1_STRING_length(text);
    uint8_t address[16];
    int family;

    if (name->type == GEN_IPADD) {
        family = length == 4 ? AF_INET : AF_INET6;
        return (length == 4 || length == 16) && inet_ntop(family, data, word, TG_HOST_SIZE) != NULL
                   ? NULL
                   : "has an address that is none";
    }
    if (length == 0 || length >= TG_HOST_SIZE || memchr(data, '\0', length) != NULL)
        return "has a DNS name that is empty, longer than 253 bytes, or has a zero byte in it";
    memcpy(word, data, length);
    word[length] = '\0';
    return tg_host_address(word, length, &family, address)
               ? "has an address as a DNS name, which no client takes for that address: it has to "
                 "be of the kind IP"
               : NULL;
}

bool tg_altnames_take(struct tg_altnames *names, const GENERAL_NAMES *from, const char *whose)
{
    int count = sk_GENERAL_NAME_num(from); /* -1: there are none */
    char words[TAKEN_MOST][TG_HOST_SIZE], *each[TAKEN_MOST];
    const char *wrong = count > TAKEN_MOST ? "has more than 100 names" : NULL;

    for (int i = 0; i < count && wrong == NULL; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(from, i);

        each[i] = words[i];
        wrong = name->type == GEN_DNS || name->type == GEN_IPADD
                    ? spell(name, words[i])
                    : "has a name that is neither of DNS nor an address: this CA can't know whose "
                      "that is";
    }
    if (wrong != NULL)
        tg_complain("%s: %s", whose, wrong);
    return wrong == NULL && tg_altnames_read(names, each, count > 0 ? (size_t)count : 0, false);
}

static bool is_same(const struct tg_pattern *one, const struct tg_pattern *other)
{
    return one->kind == other->kind &&
           (one->kind == TG_PATTERN_ADDRESS
                ? one->family == other->family &&
                      memcmp(one->address, other->address, sizeof(one->address)) == 0
                : strcmp(one->name, other->name) == 0);
}

const struct tg_pattern *tg_altnames_beyond(const struct tg_altnames *names,
                                            const struct tg_altnames *allowed)
{
    for (size_t i = 0; i < names->count; i++) {
        size_t at = 0;

        while (at < allowed->count && !is_same(&names->item[i], &allowed->item[at]))
            at++;
        if (at == allowed->count)
            return &names->item[i];
    }
    return NULL;
}

void tg_altnames_warn(const struct tg_altnames *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->item[i].kind != TG_PATTERN_ADDRESS && strchr(names->item[i].name, '_') != NULL)
            tg_complain("warning: '%s' has an underscore, which is in no host's name (RFC 1123): "
                        "some clients refuse it",
                        names->item[i].name);
}

/* ---- out again ---- */

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
