#include "param.h"
#include <openssl/x509v3.h>
#include <stdint.h>
#include <string.h>

#define WORD sizeof(void *)

/* The last of the fields that are looked for is over before this offset in every version. */
#define EXTENT       (14 * WORD)
#define EXTENT_LISTS (17 * WORD)

/* The first name is longer than two words, as find_form wants it. */
#define HOST       "probe.trustgraft.invalid"
#define OTHER_HOST "other-probe.trustgraft.invalid"
#define EMAIL      "probe@trustgraft.invalid"
#define UTF8_EMAIL "pr\303\266be@trustgraft.invalid"
#define WHEN       ((time_t)0x5eed5eed)

static const unsigned char address[4] = {192, 0, 2, 1};                        /* RFC 5737 */
static const unsigned char address_6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}; /* RFC 3849 */

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

static int set_utf8_email(const struct tg_libcrypto *crypto, X509_VERIFY_PARAM *param)
{
    return crypto->X509_VERIFY_PARAM_set1_email(param, UTF8_EMAIL, sizeof(UTF8_EMAIL) - 1);
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

/* A name or an address: in this form, too, an item of OpenSSL 4's lists, with no NUL behind it. */
struct item {
    const void *bytes; /* NULL: it can't be read */
    size_t length;
};

static bool is_stack(const struct tg_param_layout *layout, size_t offset)
{
    return layout->lists || offset == layout->hosts;
}

static int count_at(const struct tg_libcrypto *crypto, const struct tg_param_layout *layout,
                    const X509_VERIFY_PARAM *param, size_t offset)
{
    const void *field = pointer_at(param, offset);

    if (field == NULL)
        return 0;
    return is_stack(layout, offset) ? crypto->OPENSSL_sk_num(field) : 1;
}

static struct item item_at(const struct tg_libcrypto *crypto, const struct tg_param_layout *layout,
                           const X509_VERIFY_PARAM *param, size_t offset, int index)
{
    const void *field = pointer_at(param, offset), *value = NULL;
    struct item item = {NULL, 0};

    if (!is_stack(layout, offset))
        return (struct item){field, size_at(param, offset + WORD)};
    value = crypto->OPENSSL_sk_value(field, (size_t)index);
    if (value != NULL && layout->lists)
        memcpy(&item, value, sizeof(item));
    else if (value != NULL)
        item = (struct item){value, strlen(value)};
    if (item.length == 0) /* to the functions that set one, that is: up to the next NUL */
        item.bytes = NULL;
    return item;
}

/* Where one field stands: the first word that setting it changed. It was 0 before, so that what
 * is taken for a pointer is either that or nothing. */
static bool find(const struct tg_libcrypto *crypto, const struct tg_param_layout *layout,
                 int (*set)(const struct tg_libcrypto *, X509_VERIFY_PARAM *), size_t *offset)
{
    const size_t extent = layout->lists ? EXTENT_LISTS : EXTENT;
    X509_VERIFY_PARAM *fresh = crypto->X509_VERIFY_PARAM_new();
    X509_VERIFY_PARAM *changed = crypto->X509_VERIFY_PARAM_new();
    bool found = false;

    if (fresh != NULL && changed != NULL && set(crypto, changed))
        for (*offset = 0; !found && *offset < extent; *offset += found ? 0 : WORD)
            found = size_at(fresh, *offset) == 0 && size_at(changed, *offset) != 0;
    crypto->X509_VERIFY_PARAM_free(fresh);
    crypto->X509_VERIFY_PARAM_free(changed);
    return found;
}

/*
 * Whether the hosts are strings, or items. Two words are there to be read in either case, and what
 * they say is followed only where the second is the length of the name.
 */
static bool find_form(const struct tg_libcrypto *crypto, struct tg_param_layout *layout)
{
    X509_VERIFY_PARAM *param = crypto->X509_VERIFY_PARAM_new();
    const void *value = NULL;
    struct item item = {NULL, 0};
    bool strings = false;

    if (param != NULL && set_host(crypto, param))
        value = crypto->OPENSSL_sk_value(pointer_at(param, layout->hosts), 0);
    if (value != NULL) {
        strings = memcmp(value, HOST, sizeof(item)) == 0;
        memcpy(&item, value, sizeof(item));
        layout->lists = !strings && item.length == sizeof(HOST) - 1;
    }
    crypto->X509_VERIFY_PARAM_free(param);
    return strings || layout->lists;
}

/* What is set at once, and read back. */
struct sample {
    const char *host, *other_host; /* the latter may be NULL */
    const char *email;
    bool utf8;
    const unsigned char *address;
    size_t length;
};

static bool set_sample(const struct tg_libcrypto *crypto, const struct sample *sample,
                       X509_VERIFY_PARAM *param)
{
    const char *other = sample->other_host;

    return crypto->X509_VERIFY_PARAM_set1_host(param, sample->host, strlen(sample->host)) &&
           (other == NULL || crypto->X509_VERIFY_PARAM_add1_host(param, other, strlen(other))) &&
           crypto->X509_VERIFY_PARAM_set1_email(param, sample->email, strlen(sample->email)) &&
           crypto->X509_VERIFY_PARAM_set1_ip(param, sample->address, sample->length) &&
           set_hostflags(crypto, param) && set_time(crypto, param);
}

static bool is_item(struct item item, const void *bytes, size_t length)
{
    return item.bytes != NULL && item.length == length && memcmp(item.bytes, bytes, length) == 0;
}

static bool is_sample(const struct tg_libcrypto *crypto, const struct tg_param_layout *layout,
                      const struct sample *sample, const X509_VERIFY_PARAM *param)
{
    const char *other = sample->other_host;
    size_t email = sample->utf8 ? layout->utf8_email : layout->email;
    int emails = count_at(crypto, layout, param, layout->email);

    if (layout->lists)
        emails += count_at(crypto, layout, param, layout->utf8_email);
    return emails == 1 && count_at(crypto, layout, param, email) == 1 &&
           count_at(crypto, layout, param, layout->address) == 1 &&
           count_at(crypto, layout, param, layout->hosts) == (other != NULL ? 2 : 1) &&
           is_item(item_at(crypto, layout, param, layout->hosts, 0), sample->host,
                   strlen(sample->host)) &&
           (other == NULL ||
            is_item(item_at(crypto, layout, param, layout->hosts, 1), other, strlen(other))) &&
           is_item(item_at(crypto, layout, param, email, 0), sample->email,
                   strlen(sample->email)) &&
           is_item(item_at(crypto, layout, param, layout->address, 0), sample->address,
                   sample->length) &&
           (unsigned)size_at(param, layout->hostflags) == X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS &&
           (time_t)size_at(param, layout->time) == WHEN;
}

/* All of them at once, read back from where they were set and from a copy, as a connection has. */
static bool proven(const struct tg_libcrypto *crypto, const struct tg_param_layout *layout,
                   const struct sample *sample)
{
    X509_VERIFY_PARAM *param = crypto->X509_VERIFY_PARAM_new();
    X509_VERIFY_PARAM *copy = crypto->X509_VERIFY_PARAM_new();
    bool right = param != NULL && copy != NULL && set_sample(crypto, sample, param) &&
                 is_sample(crypto, layout, sample, param) &&
                 crypto->X509_VERIFY_PARAM_set1(copy, param) &&
                 is_sample(crypto, layout, sample, copy);

    crypto->X509_VERIFY_PARAM_free(param);
    crypto->X509_VERIFY_PARAM_free(copy);
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

static bool find_emails(const struct tg_libcrypto *crypto, struct tg_param_layout *layout)
{
    bool found = find(crypto, layout, set_email, &layout->email);

    layout->utf8_email = layout->email;
    return found && (!layout->lists || find(crypto, layout, set_utf8_email, &layout->utf8_email));
}

static bool probe(const struct tg_libcrypto *crypto, struct tg_param_layout *layout)
{
    static const struct sample many = {HOST, OTHER_HOST, EMAIL, false, address, sizeof(address)};
    static const struct sample one = {OTHER_HOST, NULL,      UTF8_EMAIL,
                                      true,       address_6, sizeof(address_6)};

    return find(crypto, layout, set_host, &layout->hosts) && find_form(crypto, layout) &&
           find(crypto, layout, set_hostflags, &layout->hostflags) && find_emails(crypto, layout) &&
           find(crypto, layout, set_address, &layout->address) &&
           find(crypto, layout, set_time, &layout->time) && proven(crypto, layout, &many) &&
           proven(crypto, layout, &one);
}

/* OpenSSL 4 tries an address for mail as either of its kinds, and says that it isn't the other. */
bool tg_param_probe(const struct tg_libcrypto *crypto, struct tg_param_layout *layout)
{
    bool readable;

    (void)crypto->ERR_set_mark();
    readable = probe(crypto, layout);
    (void)crypto->ERR_pop_to_mark();
    return readable;
}

static bool is_poisoned(const struct tg_param_layout *layout, const X509_VERIFY_PARAM *theirs)
{
    unsigned char poison = 0;

    if (layout->poison != 0)
        memcpy(&poison, at(theirs, layout->poison), 1);
    return poison != 0;
}

/* OpenSSL 3 has room for one of each. */
static bool has_several(const struct tg_libcrypto *crypto, const struct tg_param_layout *layout,
                        const X509_VERIFY_PARAM *theirs)
{
    return layout->lists && (count_at(crypto, layout, theirs, layout->address) > 1 ||
                             count_at(crypto, layout, theirs, layout->email) +
                                     count_at(crypto, layout, theirs, layout->utf8_email) >
                                 1);
}

/* X509_V_FLAG_* of OpenSSL 3.0, the first that ours may be: later ones ask for more checks. */
#define KNOWN_FLAGS 0x3bfffful

const char *tg_param_problem(const struct tg_libcrypto *crypto,
                             const struct tg_param_layout *layout, const X509_VERIFY_PARAM *theirs)
{
    if (theirs == NULL)
        return NULL;
    if (is_poisoned(layout, theirs))
        return "a host name, address or e-mail address that the program wanted to be verified "
               "could not be set";
    if (has_several(crypto, layout, theirs))
        return "the program wants one of several addresses to be verified, which can't be done "
               "here";
    if (crypto->X509_VERIFY_PARAM_get_flags((X509_VERIFY_PARAM *)theirs) & ~KNOWN_FLAGS)
        return "the program asks its libcrypto for a check that can't be done here";
    return NULL;
}

static int add_address(X509_VERIFY_PARAM *ours, const char *bytes, size_t length)
{
    return X509_VERIFY_PARAM_set1_ip(ours, (const unsigned char *)bytes, length);
}

static bool import_at(const struct tg_libcrypto *crypto, const struct tg_param_layout *layout,
                      const X509_VERIFY_PARAM *theirs, size_t offset, X509_VERIFY_PARAM *ours,
                      int (*add)(X509_VERIFY_PARAM *, const char *, size_t))
{
    int count = count_at(crypto, layout, theirs, offset);
    bool done = true;

    for (int i = 0; done && i < count; i++) {
        struct item item = item_at(crypto, layout, theirs, offset, i);

        done = item.bytes != NULL && add(ours, item.bytes, item.length);
    }
    return done;
}

bool tg_param_import(const struct tg_libcrypto *crypto, const struct tg_param_layout *layout,
                     const X509_VERIFY_PARAM *theirs, X509_VERIFY_PARAM *ours)
{
    unsigned long flags = crypto->X509_VERIFY_PARAM_get_flags((X509_VERIFY_PARAM *)theirs);
    bool done = X509_VERIFY_PARAM_set_flags(ours, flags) && !has_several(crypto, layout, theirs);

    X509_VERIFY_PARAM_set_depth(ours, crypto->X509_VERIFY_PARAM_get_depth(theirs));
    if (crypto->X509_VERIFY_PARAM_get_auth_level != NULL)
        X509_VERIFY_PARAM_set_auth_level(ours, crypto->X509_VERIFY_PARAM_get_auth_level(theirs));
    X509_VERIFY_PARAM_set_hostflags(ours, (unsigned)size_at(theirs, layout->hostflags));
    if (flags & X509_V_FLAG_USE_CHECK_TIME)
        X509_VERIFY_PARAM_set_time(ours, (time_t)size_at(theirs, layout->time));
    return done &&
           import_at(crypto, layout, theirs, layout->hosts, ours, X509_VERIFY_PARAM_add1_host) &&
           import_at(crypto, layout, theirs, layout->email, ours, X509_VERIFY_PARAM_set1_email) &&
           (!layout->lists || import_at(crypto, layout, theirs, layout->utf8_email, ours,
                                        X509_VERIFY_PARAM_set1_email)) &&
           import_at(crypto, layout, theirs, layout->address, ours, add_address);
}
