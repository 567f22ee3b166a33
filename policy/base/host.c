/* host.c - what a host is called: one spelling for each DNS name and each address. */
#include "host.h"
#include <arpa/inet.h>
#include <string.h>

/* RFC 1035 section 2.3.4, without the length bytes and the root. */
enum { LONGEST_LABEL = 63, LONGEST_NAME = 253 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

/* Letters, digits and hyphens (RFC 1123 section 2.1); the underscore stands in many real names. */
static bool stands_in_name(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '_';
}

bool tg_host_address(const char *text, size_t length, int *family, uint8_t address[16])
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    char copy[INET6_ADDRSTRLEN];
    uint8_t bytes[16] = {0};
    bool v6 = memchr(text, ':', length) != NULL;

    if (length >= sizeof(copy) || memchr(text, '\0', length) != NULL)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (inet_pton(v6 ? AF_INET6 : AF_INET, copy, bytes) != 1)
        return false;
    if (v6 && memcmp(bytes, mapped, sizeof(mapped)) == 0) {
        memmove(bytes, bytes + sizeof(mapped), 4);
        memset(bytes + 4, 0, 12);
        v6 = false;
    }
    *family = v6 ? AF_INET6 : AF_INET;
    memcpy(address, bytes, sizeof(bytes));
    return true;
}

static size_t label_length(const char *label, size_t rest)
{
    const char *dot = memchr(label, '.', rest);

    return dot != NULL ? (size_t)(dot - label) : rest;
}

static const char *label_fault(const char *label, size_t length, size_t *bad)
{
    *bad = 0;
    if (length == 0)
        return "has an empty label";
    while (*bad < length && stands_in_name(label[*bad]))
        ++*bad;
    if (*bad < length)
        return "has a character that no DNS name has: letters, digits, - and _ may stand in it";
    *bad = 0;
    return length > LONGEST_LABEL ? "has a label of more than 63 characters" : NULL;
}

/* What the URL standard's parser takes for an IPv4 address, in whatever form: never a name. */
static bool is_number(const char *label, size_t length)
{
    bool hex = length >= 2 && label[0] == '0' && lower(label[1]) == 'x';
    size_t i = hex ? 2 : 0;

    while (i < length && (hex ? is_hex(label[i]) : is_digit(label[i])))
        i++;
    return i == length;
}

const char *tg_host_name_fault(const char *name, size_t length, size_t *offset)
{
    size_t at = 0, end, label, bad;
    const char *fault;

    end = length > 0 && name[length - 1] == '.' ? length - 1 : length;
    for (;;) {
        label = label_length(name + at, end - at);
        fault = label_fault(name + at, label, &bad);
        if (fault != NULL) {
            *offset = at + bad;
            return fault;
        }
        if (at + label == end)
            break;
        at += label + 1;
    }
    *offset = end > LONGEST_NAME ? LONGEST_NAME : at;
    if (end > LONGEST_NAME)
        return "is longer than the 253 characters of a DNS name";
    if (is_number(name + at, label))
        return "ends in a number, so it is no name, and it isn't an IPv4 address of four decimal "
               "numbers without leading zeros either";
    return NULL;
}

static enum tg_host_kind write_address(const char *text, size_t length, char out[TG_HOST_SIZE])
{
    uint8_t address[16];
    char canonical[INET6_ADDRSTRLEN];
    int family;

    if (!tg_host_address(text, length, &family, address) ||
        inet_ntop(family, address, canonical, sizeof(canonical)) == NULL)
        return TG_HOST_INVALID;
    memcpy(out, canonical, strlen(canonical) + 1);
    return TG_HOST_ADDRESS;
}

/* The zone ("%eth0") says by which link, not whom: no certificate and no pattern has one. */
static enum tg_host_kind write_v6(const char *text, size_t length, char out[TG_HOST_SIZE])
{
    const char *zone = memchr(text, '%', length);

    if (zone != NULL)
        length = (size_t)(zone - text);
    return memchr(text, ':', length) != NULL ? write_address(text, length, out) : TG_HOST_INVALID;
}

static void write_lower(const char *text, size_t length, char out[TG_HOST_SIZE])
{
    for (size_t i = 0; i < length; i++)
        out[i] = lower(text[i]);
    out[length] = '\0';
}

static enum tg_host_kind write_name(const char *name, size_t length, char out[TG_HOST_SIZE])
{
    size_t offset;

    if (tg_host_name_fault(name, length, &offset) != NULL)
        return TG_HOST_INVALID;
    if (name[length - 1] == '.')
        length--;
    write_lower(name, length, out);
    return TG_HOST_NAME;
}

static enum tg_host_kind spell(const char *host, size_t length, char out[TG_HOST_SIZE])
{
    enum tg_host_kind kind;

    if (host[0] == '[')
        return host[length - 1] == ']' ? write_v6(host + 1, length - 2, out) : TG_HOST_INVALID;
    if (memchr(host, ':', length) != NULL)
        return write_v6(host, length, out);
    kind = write_address(host, host[length - 1] == '.' ? length - 1 : length, out);
    return kind == TG_HOST_ADDRESS ? kind : write_name(host, length, out);
}

enum tg_host_kind tg_host_canonical(const char *host, char out[TG_HOST_SIZE])
{
    size_t length = host != NULL ? strnlen(host, TG_HOST_SIZE) : 0;
    enum tg_host_kind kind;

    if (length == 0 || length == TG_HOST_SIZE)
        return TG_HOST_INVALID;
    kind = spell(host, length, out);
    if (kind != TG_HOST_INVALID)
        return kind;
    if (host[length - 1] == '.')
        length--;
    if (length == 0)
        return TG_HOST_INVALID;
    write_lower(host, length, out);
    return TG_HOST_UNSPELLABLE;
}

bool tg_host_spell(const char *host, char out[TG_HOST_SIZE])
{
    enum tg_host_kind kind = tg_host_canonical(host, out);

    return kind == TG_HOST_NAME || kind == TG_HOST_ADDRESS;
}
