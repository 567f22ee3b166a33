#include "param.h"
#include <openssl/x509v3.h>
#include <stdint.h>
#include <string.h>

/* The last of the fields that are looked for is over before this offset in every version. */
#define EXTENT 112
#define WORD   sizeof(void *)

#define HOST  "probe.invalid"
#define EMAIL "probe@probe.invalid"
#define WHEN  ((time_t)0x5eed5eed)

static const unsigned char address[4] = {192, 0, 2, 1}; /* RFC 5737 */

static int set_host(const struct tg_libcrypto *crypto, X509_VERIFY_PARAM *param)
{
    return crypto->X509_VERIFY_PARAM_set1_host(param, HOST, sizeof(HOST) - 1);
}

static int set_hostflags(const struct tg_libcrypto *crypto, X509_VERIFY_PARAM *param)
{
    crypto->X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return 1;
}

static int set_email(const struct tg_libcrypto *crypto, X509_VERIFY_PARAM *param)
{
    return crypto->X509_VERIFY_PARAM_set1_email(param, EMAIL, sizeof(EMAIL) - 1);
}

static int set_address(const struct tg_libcrypto *crypto, X509_VERIFY_PARAM *param)
{
    return crypto->X509_VERIFY_PARAM_set1_ip(param, address, sizeof(address));
}

static int set_time(const struct tg_libcrypto *crypto, X509_VERIFY_PARAM *param)
{
    crypto->X509_VERIFY_PARAM_set_time(param, WHEN);
    return 1;
}

static const void *at(const X509_VERIFY_PARAM *param, size_t offset)
{
    return (const char *)param + offset;
}

static const void *pointer_at(const X509_VERIFY_PARAM *param, size_t offset)
{
    const void *pointer = NULL;

    memcpy(&pointer, at(param, offset), sizeof(pointer));
    return pointer;
}

static size_t size_at(const X509_VERIFY_PARAM *param, size_t offset)
{
    size_t size = 0;

    memcpy(&size, at(param, offset), sizeof(size));
    return size;
}

static const char *host_at(const struct tg_libcrypto *crypto, const struct tg_param_layout *layout,
                           const X509_VERIFY_PARAM *param, int index)
{
    const void *hosts = pointer_at(param, layout->hosts);

    if (hosts == NULL || index >= crypto->OPENSSL_sk_num(hosts))
        return NULL;
    return crypto->OPENSSL_sk_value(hosts, (size_t)index);
}

/* Where one field stands: the first word that setting it changed. It was 0 before, so that what
 * is taken for a pointer is either that or nothing. */
static bool find(const struct tg_libcrypto *crypto,
                 int (*set)(const struct tg_libcrypto *, X509_VERIFY_PARAM *), size_t *offset)
{
    X509_VERIFY_PARAM *fresh = crypto->X509_VERIFY_PARAM_new();
    X509_VERIFY_PARAM *changed = crypto->X509_VERIFY_PARAM_new();
    bool found = false;

    if (fresh != NULL && changed != NULL && set(crypto, changed))
        for (*offset = 0; !found && *offset < EXTENT; *offset += found ? 0 : WORD)
            found = size_at(fresh, *offset) == 0 && size_at(changed, *offset) != 0;
    crypto->X509_VERIFY_PARAM_free(fresh);
    crypto->X509_VERIFY_PARAM_free(changed);
    return found;
}

/* All of them at once, read back. */
static bool proven(const struct tg_libcrypto *crypto, const struct tg_param_layout *layout)
{
    X509_VERIFY_PARAM *param = crypto->X509_VERIFY_PARAM_new();
    bool right = false;

    if (param != NULL && set_host(crypto, param) && set_hostflags(crypto, param) &&
        set_email(crypto, param) && set_address(crypto, param) && set_time(crypto, param))
        right =
            host_at(crypto, layout, param, 1) == NULL &&
            strcmp(host_at(crypto, layout, param, 0), HOST) == 0 &&
            (unsigned)size_at(param, layout->hostflags) == X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS &&
            memcmp(pointer_at(param, layout->email), EMAIL, sizeof(EMAIL) - 1) == 0 &&
            size_at(param, layout->email + WORD) == sizeof(EMAIL) - 1 &&
            memcmp(pointer_at(param, layout->address), address, sizeof(address)) == 0 &&
            size_at(param, layout->address + WORD) == sizeof(address) &&
            (time_t)size_at(param, layout->time) == WHEN;
    crypto->X509_VERIFY_PARAM_free(param);
    return right;
}

/* BoringSSL's last field, behind the length of the address. No address has three bytes: it isn't
 * set, and what stays behind is the poison. */
bool tg_param_find_poison(const struct tg_libcrypto *crypto, struct tg_param_layout *layout)
{
    X509_VERIFY_PARAM *param = crypto->X509_VERIFY_PARAM_new();
    size_t offset = layout->address + 2 * WORD;
    unsigned char before = 0, after = 0;

    if (param != NULL) {
        memcpy(&before, at(param, offset), 1);
        (void)crypto->X509_VERIFY_PARAM_set1_ip(param, address, 3);
        memcpy(&after, at(param, offset), 1);
    }
    if (before == 0 && after != 0)
        layout->poison = offset;
    crypto->X509_VERIFY_PARAM_free(param);
    return layout->poison != 0;
}

bool tg_param_probe(const struct tg_libcrypto *crypto, struct tg_param_layout *layout)
{
    return find(crypto, set_host, &layout->hosts) &&
           find(crypto, set_hostflags, &layout->hostflags) &&
           find(crypto, set_email, &layout->email) && find(crypto, set_address, &layout->address) &&
           find(crypto, set_time, &layout->time) && proven(crypto, layout);
}

bool tg_param_poisoned(const struct tg_param_layout *layout, const X509_VERIFY_PARAM *theirs)
{
    unsigned char poison = 0;

    if (layout->poison != 0 && theirs != NULL)
        memcpy(&poison, at(theirs, layout->poison), 1);
    return poison != 0;
}

bool tg_param_import(const struct tg_libcrypto *crypto, const struct tg_param_layout *layout,
                     const X509_VERIFY_PARAM *theirs, X509_VERIFY_PARAM *ours)
{
    unsigned long flags = crypto->X509_VERIFY_PARAM_get_flags((X509_VERIFY_PARAM *)theirs);
    const char *email = pointer_at(theirs, layout->email), *host = NULL;
    const unsigned char *ip = pointer_at(theirs, layout->address);
    bool done = X509_VERIFY_PARAM_set_flags(ours, flags);

    X509_VERIFY_PARAM_set_depth(ours, crypto->X509_VERIFY_PARAM_get_depth(theirs));
    X509_VERIFY_PARAM_set_hostflags(ours, (unsigned)size_at(theirs, layout->hostflags));
    if (flags & X509_V_FLAG_USE_CHECK_TIME)
        X509_VERIFY_PARAM_set_time(ours, (time_t)size_at(theirs, layout->time));
    for (int i = 0; done && (host = host_at(crypto, layout, theirs, i)) != NULL; i++)
        done = X509_VERIFY_PARAM_add1_host(ours, host, 0);
    if (email != NULL)
        done = done &&
               X509_VERIFY_PARAM_set1_email(ours, email, size_at(theirs, layout->email + WORD));
    if (ip != NULL)
        done = done && X509_VERIFY_PARAM_set1_ip(ours, ip, size_at(theirs, layout->address + WORD));
    return done;
}
