/* pattern.c - one pattern of a [host] section: which hosts, and on which port. */
#include "pattern.h"
#include "idna.h"
#include <arpa/inet.h>
#include <string.h>

enum { MAPPED_BITS = 96, LAST_PORT = 65535 };

/* A stretch of the word. */
struct span {
    const char *text;
    size_t length;
};

struct reader {
    struct tg_arena *arena;
    const char *word;
    struct span host; /* without brackets */
    bool bracketed;
    const char *port; /* what follows the colon; NULL: none */
    size_t *column;
};

/* Every sentence names the word and goes on with WHAT, about the byte at AT. */
static const char *blame(const struct reader *in, const char *at, const char *what)
{
    *in->column = (size_t)(at - in->word);
    return tg_arena_sentence(in->arena, "\"%s\" %s", in->word, what);
}

static const char *end_of(struct span span)
{
    return span.text + span.length;
}

static const char *find(struct span span, char c)
{
    return span.length > 0 ? memchr(span.text, c, span.length) : NULL;
}

static const char *split_brackets(struct reader *in)
{
    const char *close = strchr(in->word, ']');

    if (close == NULL)
        return blame(in, in->word, "has no ] for its [: write [2001:db8::1] or [2001:db8::1]:443");
    in->bracketed = true;
    in->host = (struct span){in->word + 1, (size_t)(close - in->word - 1)};
    if (find(in->host, ':') == NULL)
        return blame(in, in->word + 1, "has brackets around what is no IPv6 address");
    if (close[1] == '/')
        return blame(in, close + 1,
                     "has its prefix length outside the brackets: write [2001:db8::/32]:443");
    if (close[1] != '\0' && close[1] != ':')
        return blame(in, close + 1, "goes on behind its ]: only :PORT may follow");
    in->port = close[1] == ':' ? close + 2 : NULL;
    return NULL;
}

/* One colon is a port's; two or more without brackets are an IPv6 address's own. */
static const char *split(struct reader *in)
{
    const char *colon = strchr(in->word, ':');

    if (in->word[0] == '\0')
        return blame(in, in->word,
                     "is no pattern: write a name, *.name, *, an address or a block of addresses");
    if (strstr(in->word, "://") != NULL)
        return blame(in, in->word, "is a URL: write its host alone, or HOST:PORT");
    if (in->word[0] == '[')
        return split_brackets(in);
    in->host = (struct span){in->word, strlen(in->word)};
    if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        in->host.length = (size_t)(colon - in->word);
        in->port = colon + 1;
    }
    return NULL;
}

/* Decimal digits without a leading zero, at most MOST; false for anything else. */
static bool read_number(const char *text, size_t length, unsigned most, unsigned *out)
{
    unsigned value = 0;

    if (length == 0 || (length > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
        if (value > most)
            return false;
    }
    *out = value;
    return true;
}

static const char *read_port(const struct reader *in, struct tg_pattern *out)
{
    if (in->port == NULL)
        return NULL;
    if (!read_number(in->port, strlen(in->port), LAST_PORT, &out->port) || out->port == 0)
        return blame(in, in->port, "has no port from 1 to 65535 behind its colon");
    return NULL;
}

/* Clears the bits behind the prefix; true if one of them was set. */
static bool mask(uint8_t address[16], unsigned prefix)
{
    bool set = false;

    for (unsigned byte = prefix / 8; byte < 16; byte++) {
        uint8_t keep = byte == prefix / 8 ? (uint8_t)(0xFF00u >> (prefix % 8)) : 0;

        set = set || (address[byte] & ~keep) != 0;
        address[byte] &= keep;
    }
    return set;
}

/* How the masked network in PATTERN is written. */
static const char *blame_host_bits(const struct reader *in, const char *at,
                                   const struct tg_pattern *pattern)
{
    char network[INET6_ADDRSTRLEN];

    if (inet_ntop(pattern->family, pattern->address, network, sizeof(network)) == NULL)
        return blame(in, at, "has bits set behind its prefix");
    *in->column = (size_t)(at - in->word);
    return tg_arena_sentence(in->arena,
                             "\"%s\" has bits set behind its prefix: the network is %s/%u, the "
                             "address alone is written without /%u",
                             in->word, network, pattern->prefix, pattern->prefix);
}

static const char *read_prefix(const struct reader *in, const char *slash, struct tg_pattern *out)
{
    bool v4 = out->family == AF_INET;
    bool mapped = v4 && find(in->host, ':') != NULL;
    unsigned least = mapped ? MAPPED_BITS : 0, most = v4 && !mapped ? 32 : 128, length;
    const char *digits = slash + 1;

    if (!read_number(digits, (size_t)(end_of(in->host) - digits), most, &length) || length < least)
        return blame(in, digits,
                     mapped ? "has no prefix length from 96 to 128, as an IPv4-mapped address needs"
                     : v4   ? "has no prefix length from 0 to 32 behind its /"
                            : "has no prefix length from 0 to 128 behind its / (with a port, write "
                              "[2001:db8::/32]:443)");
    out->prefix = length - least;
    return mask(out->address, out->prefix) ? blame_host_bits(in, digits, out) : NULL;
}

static const char *read_address(const struct reader *in, struct tg_pattern *out)
{
    const char *slash = find(in->host, '/');
    size_t length = slash != NULL ? (size_t)(slash - in->host.text) : in->host.length;
    const char *zone = find(in->host, '%');

    if (zone != NULL)
        return blame(in, zone,
                     "has a zone (%...), which isn't part of a server's identity: leave "
                     "it out");
    if (!tg_host_address(in->host.text, length, &out->family, out->address))
        return blame(in, in->host.text,
                     find(in->host, ':') != NULL
                         ? "is no IPv6 address, and neither HOST:PORT"
                         : "has a / but no address before it: only a block such "
                           "as 10.0.0.0/8 has one");
    out->kind = TG_PATTERN_ADDRESS;
    out->prefix = out->family == AF_INET ? 32 : 128;
    return slash != NULL ? read_prefix(in, slash, out) : NULL;
}

static const char *blame_non_ascii(const struct reader *in, const char *at)
{
    const char *name = tg_host_alabels(in->arena, in->host.text, in->host.length);
    size_t stars = name != NULL && strncmp(name, "*.", 2) == 0 ? 2 : 0, offset;

    if (name == NULL || tg_host_name_fault(name + stars, strlen(name) - stars, &offset) != NULL)
        return blame(in, at, "isn't ASCII: write the name's A-label (xn--...)");
    *in->column = (size_t)(at - in->word);
    return tg_arena_sentence(in->arena, "\"%s\" isn't ASCII: write its A-label, %s", in->word,
                             name);
}

static const char *read_name(const struct reader *in, struct span name, struct tg_pattern *out)
{
    const char *fault, *star = find(name, '*');
    char copy[TG_HOST_SIZE];
    size_t offset = 0;

    if (star != NULL)
        return blame(in, star,
                     "has a * that is neither all of it nor its first label: write "
                     "*.name for what lies below a name");
    if (name.length > 1 && name.text[0] == '.')
        return blame(in, name.text, "begins with a dot: write *.name for what lies below a name");
    fault = tg_host_name_fault(name.text, name.length, &offset);
    if (fault != NULL)
        return blame(in, name.text + offset, fault);
    memcpy(copy, name.text, name.length);
    copy[name.length] = '\0';
    if (tg_host_canonical(copy, out->name) != TG_HOST_NAME)
        return blame(in, name.text, "is no DNS name");
    return NULL;
}

static const char *read_wildcard(const struct reader *in, struct tg_pattern *out)
{
    struct span below = {in->host.text + 2, in->host.length - 2};
    uint8_t address[16];
    int family;

    if (find(below, '/') != NULL || tg_host_address(below.text, below.length, &family, address))
        return blame(in, in->host.text,
                     "has a wildcard before an address: write a block such as "
                     "10.0.0.0/8");
    out->kind = TG_PATTERN_WILDCARD;
    return read_name(in, below, out);
}

static const char *read_host(const struct reader *in, struct tg_pattern *out)
{
    const struct span host = in->host;
    size_t dotless = host.length > 1 && end_of(host)[-1] == '.' ? host.length - 1 : host.length;

    for (size_t i = 0; i < host.length; i++)
        if ((unsigned char)host.text[i] >= 0x80)
            return blame_non_ascii(in, host.text + i);
    if (find(host, ':') != NULL || (find(host, '/') != NULL && host.text[0] != '*'))
        return read_address(in, out);
    if (host.length == 1 && host.text[0] == '*') {
        out->kind = TG_PATTERN_ANY;
        return NULL;
    }
    if (host.length > 2 && memcmp(host.text, "*.", 2) == 0)
        return read_wildcard(in, out);
    if (tg_host_address(host.text, dotless, &out->family, out->address)) {
        out->kind = TG_PATTERN_ADDRESS;
        out->prefix = 32;
        return NULL;
    }
    out->kind = TG_PATTERN_NAME;
    return read_name(in, host, out);
}

const char *tg_pattern_parse(struct tg_arena *arena, const char *word, struct tg_pattern *out,
                             size_t *column)
{
    struct reader in = {.arena = arena, .word = word, .host = {word, 0}, .column = column};
    struct tg_pattern pattern = {0};
    const char *fault = split(&in);

    fault = fault != NULL ? fault : read_host(&in, &pattern);
    fault = fault != NULL ? fault : read_port(&in, &pattern);
    if (fault == NULL)
        *out = pattern;
    return fault;
}

const char *tg_host_read(struct tg_arena *arena, const char *word, char out[TG_HOST_SIZE],
                         unsigned *port, size_t *column)
{
    struct tg_pattern pattern;
    const char *wrong = tg_pattern_parse(arena, word, &pattern, column);

    if (wrong != NULL)
        return wrong;
    *column = 0;
    if (pattern.kind == TG_PATTERN_WILDCARD || pattern.kind == TG_PATTERN_ANY ||
        strchr(word, '/') != NULL)
        return tg_arena_sentence(arena,
                                 "\"%s\" is not one host: write its name or address, without "
                                 "wildcard or prefix",
                                 word);
    if (pattern.kind == TG_PATTERN_NAME)
        memcpy(out, pattern.name, sizeof(pattern.name));
    else
        inet_ntop(pattern.family, pattern.address, out, TG_HOST_SIZE);
    *port = pattern.port;
    return NULL;
}
