#include "name.h"
#include "host.h"
#include "text.h"
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <string.h>

#define LISTED 4

/* The reference name, in lower case, and the application's X509_CHECK_FLAG_*. */
struct wanted {
    const char *name;
    size_t length;
    unsigned flags;
};

static bool same(const char *pattern, const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c =
            pattern[i] >= 'A' && pattern[i] <= 'Z' ? (char)(pattern[i] - 'A' + 'a') : pattern[i];

        if (c != name[i])
            return false;
    }
    return true;
}

/*
 * RFC 6125 section 6.4.3: a wildcard is the whole first label and stands for one, whatever its
 * letters are ("a_b" too); X509_check_host(3) has it that two labels follow.
 */
static bool covers(const char *pattern, size_t length, const struct wanted *wanted)
{
    const char *below = pattern + 1;
    size_t rest = length - 1, covered;

    if ((wanted->flags & X509_CHECK_FLAG_NO_WILDCARDS) || length < 3 ||
        memcmp(pattern, "*.", 2) != 0 || memchr(below + 1, '.', rest - 1) == NULL ||
        wanted->length <= rest)
        return false;
    covered = wanted->length - rest;
    return same(below, wanted->name + covered, rest) &&
           ((wanted->flags & X509_CHECK_FLAG_MULTI_LABEL_WILDCARDS) ||
            memchr(wanted->name, '.', covered) == NULL);
}

static bool is_named(const char *pattern, size_t length, const struct wanted *wanted)
{
    return (length == wanted->length && same(pattern, wanted->name, length)) ||
           covers(pattern, length, wanted);
}

static bool subject_names(const X509 *leaf, const struct wanted *wanted)
{
    const X509_NAME *subject = X509_get_subject_name(leaf);
    bool found = false;

    for (int at = -1; !found;) {
        unsigned char *text = NULL;
        int length;

        at = X509_NAME_get_index_by_NID(subject, NID_commonName, at);
        if (at < 0)
            break;
        length =
            ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
        found = length > 0 && is_named((const char *)text, (size_t)length, wanted);
        if (length >= 0)
            OPENSSL_free(text);
    }
    return found;
}

void tg_leaf_names_read(struct tg_leaf_names *names, X509 *leaf)
{
    int critical = -1; /* -1: there are no alternative names */

    names->leaf = leaf;
    names->alternative = X509_get_ext_d2i(leaf, NID_subject_alt_name, &critical, NULL);
    names->unreadable = names->alternative == NULL && critical != -1;
}

void tg_leaf_names_free(struct tg_leaf_names *names)
{
    GENERAL_NAMES_free(names->alternative);
    names->alternative = NULL;
}

static bool certificate_names(const struct tg_leaf_names *names, const struct wanted *wanted)
{
    bool dns = names->unreadable, found = false;

    for (int i = 0; !found && i < sk_GENERAL_NAME_num(names->alternative); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names->alternative, i);

        if (name->type != GEN_DNS)
            continue;
        dns = true;
        found = is_named((const char *)ASN1_STRING_get0_data(name->d.dNSName),
                         (size_t)ASN1_STRING_length(name->d.dNSName), wanted);
    }
    if (found || (wanted->flags & X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        return found;
    return (!dns || (wanted->flags & X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT)) &&
           subject_names(names->leaf, wanted);
}

/* What has no empty label, and doesn't end in a number, which is an address to some (inet_aton). */
static bool is_like_name(const char *name, size_t length)
{
    const char *dot = strrchr(name, '.'), *last = dot != NULL ? dot + 1 : name;

    return name[0] != '.' && name[length - 1] != '.' && strstr(name, "..") == NULL &&
           strchr(name, ':') == NULL && (*last < '0' || *last > '9');
}

bool tg_leaf_names_match(const struct tg_leaf_names *names, const char *host, unsigned flags)
{
    char canonical[TG_HOST_SIZE];
    enum tg_host_kind kind = tg_host_canonical(host, canonical);
    struct wanted wanted = {canonical, 0, flags};

    if (kind == TG_HOST_INVALID)
        return false;
    if (kind == TG_HOST_ADDRESS) /* of its own length alone: RFC 9525 section 6.4 */
        return X509_check_ip_asc(names->leaf, canonical, 0) == 1;
    wanted.length = strlen(canonical);
    if (canonical[0] == '.')
        return tg_name_matches_app(names->leaf, canonical, flags);
    return (kind == TG_HOST_NAME || is_like_name(canonical, wanted.length)) &&
           certificate_names(names, &wanted);
}

bool tg_name_matches(X509 *leaf, const char *host, unsigned flags)
{
    struct tg_leaf_names names;
    bool matches;

    tg_leaf_names_read(&names, leaf);
    matches = tg_leaf_names_match(&names, host, flags);
    tg_leaf_names_free(&names);
    return matches;
}

bool tg_name_matches_app(X509 *leaf, const char *host, unsigned flags)
{
    char canonical[TG_HOST_SIZE];

    switch (tg_host_canonical(host, canonical)) {
    case TG_HOST_NAME:
    case TG_HOST_UNSPELLABLE: /* ".example": any name below it, in its terms */
        return X509_check_host(leaf, canonical, 0, flags, NULL) == 1;
    case TG_HOST_ADDRESS:
        return X509_check_host(leaf, host, 0, flags, NULL) == 1;
    case TG_HOST_INVALID:
        break;
    }
    return false;
}

static bool is_name(enum tg_host_kind kind)
{
    return kind == TG_HOST_NAME || kind == TG_HOST_UNSPELLABLE;
}

static const char *objection(const struct tg_leaf_names *names, const char *host, unsigned flags)
{
    const unsigned never = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                   no_star = X509_CHECK_FLAG_NO_WILDCARDS;
    char canonical[TG_HOST_SIZE];

    if (!is_name(tg_host_canonical(host, canonical)))
        return NULL;
    if (tg_leaf_names_match(names, host, flags))
        return "the check that the program asks for (X509_check_host) has a wildcard stand for "
               "letters, digits and hyphens alone";
    if ((flags & never) && tg_leaf_names_match(names, host, flags & ~never))
        return "the program forbids to go by the common name (X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)";
    if ((flags & no_star) && tg_leaf_names_match(names, host, flags & ~no_star))
        return "the program forbids wildcards (X509_CHECK_FLAG_NO_WILDCARDS)";
    if (X509_check_host(names->leaf, canonical, 0, 0, NULL) == 1)
        return "a wildcard counts only where it is a whole label";
    return NULL;
}

const char *tg_name_objection(X509 *leaf, const char *host, unsigned flags)
{
    struct tg_leaf_names names;
    const char *found;

    tg_leaf_names_read(&names, leaf);
    found = objection(&names, host, flags);
    tg_leaf_names_free(&names);
    return found;
}

static void add_address(struct tg_buf *out, const ASN1_OCTET_STRING *address)
{
    int length = ASN1_STRING_length(address);
    char text[INET6_ADDRSTRLEN];

    if ((length == 4 || length == 16) &&
        inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text,
                  sizeof(text)) != NULL)
        tg_buf_add(out, text);
    else
        tg_buf_add(out, "a malformed address");
}

static void add_string(struct tg_buf *out, const ASN1_STRING *string)
{
    tg_buf_escape(out, (const char *)ASN1_STRING_get0_data(string),
                  (size_t)ASN1_STRING_length(string));
}

/* Lists the DNS names and addresses among NAMES; returns how many DNS names there are. */
static int list_names(const GENERAL_NAMES *names, struct tg_buf *out)
{
    int listed = 0, dns = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type != GEN_DNS && name->type != GEN_IPADD)
            continue;
        dns += name->type == GEN_DNS;
        if (++listed > LISTED)
            continue;
        if (listed > 1)
            tg_buf_add(out, ", ");
        if (name->type == GEN_DNS)
            add_string(out, name->d.dNSName);
        else
            add_address(out, name->d.iPAddress);
    }
    if (listed > LISTED)
        tg_buf_printf(out, " and %d more", listed - LISTED);
    return dns;
}

static void list_common_name(const X509 *leaf, struct tg_buf *out)
{
    const X509_NAME *subject = X509_get_subject_name(leaf);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    if (at < 0)
        return;
    tg_buf_add(out, out->length > 0 ? ", CN " : "CN ");
    add_string(out, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

void tg_name_list(const X509 *leaf, struct tg_buf *out)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    struct tg_buf list = {0};

    if (list_names(names, &list) == 0)
        list_common_name(leaf, &list);
    if (list.failed)
        out->failed = true;
    else
        tg_buf_add(out, list.length > 0 ? list.text : "no host");
    tg_buf_free(&list);
    GENERAL_NAMES_free(names);
}
