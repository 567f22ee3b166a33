#include "address.h"
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct block {
    uint8_t bits[16];
    unsigned length;
};

static const struct block four[] = {
    {{0}, 8},             /* this network */
    {{10}, 8},            /* private, RFC 1918 */
    {{100, 64}, 10},      /* shared with a provider, RFC 6598 */
    {{127}, 8},           /* loopback */
    {{169, 254}, 16},     /* link-local: clouds' metadata too */
    {{172, 16}, 12},      /* private */
    {{192, 0, 0}, 24},    /* IETF protocols */
    {{192, 0, 2}, 24},    /* documentation, as the next but one */
    {{192, 168}, 16},     /* private */
    {{198, 18}, 15},      /* benchmarks */
    {{198, 51, 100}, 24}, /* documentation */
    {{203, 0, 113}, 24},  /* documentation */
    {{224}, 3},           /* multicast and reserved */
};

static const struct block six[] = {
    {{0x01, 0}, 64},                      /* discard, RFC 6666 */
    {{0x20, 0x01, 0, 0}, 23},             /* IETF protocols, Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},       /* documentation */
    {{0xfc}, 7},                          /* unique local, RFC 4193 */
    {{0xfe, 0x80}, 10},                   /* link-local */
    {{0xfe, 0xc0}, 10},                   /* site-local, RFC 3879 */
    {{0xff}, 8},                          /* multicast */
    {{0x00, 0x64, 0xff, 0x9b, 0, 1}, 48}, /* a network's own translation, RFC 8215 */
};

/* IPv6 in which an IPv4 address stands at the byte AT. */
static const struct {
    struct block block;
    unsigned at;
} embedded[] = {
    {{{0}, 96}, 12},                        /* ::, ::1, RFC 4291 */
    {{{[10] = 0xff, [11] = 0xff}, 96}, 12}, /* mapped, RFC 4291 */
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},   /* translated, RFC 6052 */
    {{{0x20, 0x02}, 16}, 2},                /* 6to4, RFC 3056 */
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool lies_in(const uint8_t *address, const struct block *block)
{
    unsigned whole = block->length / 8, rest = block->length % 8;

    return memcmp(address, block->bits, whole) == 0 &&
           (rest == 0 || ((address[whole] ^ block->bits[whole]) >> (8 - rest)) == 0);
}

static bool lies_in_any(const uint8_t *address, const struct block *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (lies_in(address, &blocks[i]))
            return true;
    return false;
}

bool tg_address_is_public(const struct sockaddr *address)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
    const uint8_t *bytes;

    if (address->sa_family == AF_INET)
        return !lies_in_any((const uint8_t *)&in->sin_addr, four, COUNT(four));
    if (address->sa_family != AF_INET6)
        return false;
    bytes = in6->sin6_addr.s6_addr;
    for (size_t i = 0; i < COUNT(embedded); i++)
        if (lies_in(bytes, &embedded[i].block) &&
            lies_in_any(bytes + embedded[i].at, four, COUNT(four)))
            return false;
    return !lies_in_any(bytes, six, COUNT(six));
}
