#include "constraint.h"
#include "host.h"
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>

/* The host, as constraints compare it. */
struct host {
    int type; /* GEN_DNS or GEN_IPADD */
    char name[TG_HOST_SIZE];
    uint8_t address[16];
    int size; /* of the address */
};

static bool read_host(const char *text, struct host *host)
{
    bool v6;

    host->type = GEN_DNS;
    switch (tg_host_canonical(text, host->name)) {
    case TG_HOST_NAME:
    case TG_HOST_UNSPELLABLE:
        return true;
    case TG_HOST_ADDRESS:
        v6 = strchr(host->name, ':') != NULL;
        host->type = GEN_IPADD;
        host->size = v6 ? 16 : 4;
        return inet_pton(v6 ? AF_INET6 : AF_INET, host->name, host->address) == 1;
    case TG_HOST_INVALID:
        break;
    }
    return false;
}

/*
 * "example" is itself and all below it, ".example" all below it, and "" everything. Where WIDE,
 * "*.example" and "." are what they must have been meant for.
 */
static bool name_within(const ASN1_STRING *base, const char *name, bool wide)
{
    const char *text = (const char *)ASN1_STRING_get0_data(base), *end;
    size_t size = (size_t)ASN1_STRING_length(base), length = strlen(name);

    if (wide && size > 0 && text[0] == '*') {
        text++;
        size--;
    }
    if (size > (wide ? 0 : 1) && text[size - 1] == '.')
        size--;
    if (size == 0)
        return true;
    if (size > length)
        return false;
    end = name + length - size;
    return strncasecmp(text, end, size) == 0 && (end == name || text[0] == '.' || end[-1] == '.');
}

/* An address and its mask: one of IPv4 says nothing of IPv6. */
static bool address_within(const ASN1_STRING *base, const struct host *host)
{
    const uint8_t *bytes = ASN1_STRING_get0_data(base);

    if (ASN1_STRING_length(base) != 2 * host->size)
        return false;
    for (int i = 0; i < host->size; i++)
        if ((host->address[i] ^ bytes[i]) & bytes[host->size + i])
            return false;
    return true;
}

/*
 * True if HOST is within one of SUBTREES. *ANY becomes true where one is of its type. What is odd,
 * one with bounds, which RFC 5280 has none, or "*.example", counts where ODD.
 */
static bool within(const STACK_OF(GENERAL_SUBTREE) *subtrees, const struct host *host, bool odd,
                   bool *any)
{
    bool found = false;

    for (int i = 0; i < sk_GENERAL_SUBTREE_num(subtrees); i++) {
        const GENERAL_SUBTREE *subtree = sk_GENERAL_SUBTREE_value(subtrees, i);

        if (subtree->base->type != host->type)
            continue;
        *any = true;
        if (subtree->maximum != NULL ||
            (subtree->minimum != NULL && ASN1_INTEGER_get(subtree->minimum) != 0))
            found = found || odd;
        else if (host->type == GEN_DNS)
            found = found || name_within(subtree->base->d.dNSName, host->name, odd);
        else
            found = found || address_within(subtree->base->d.iPAddress, host);
    }
    return found;
}

static bool lets(const NAME_CONSTRAINTS *constraints, const struct host *host)
{
    bool any = false, some = false;

    return !within(constraints->excludedSubtrees, host, true, &any) &&
           (within(constraints->permittedSubtrees, host, false, &some) || !some);
}

static bool has_constraints(const X509 *certificate)
{
    return X509_get_ext_by_NID(certificate, NID_name_constraints, -1) >= 0;
}

bool tg_constraint_on(const STACK_OF(X509) *path)
{
    for (int i = 1; i < sk_X509_num(path); i++)
        if (has_constraints(sk_X509_value(path, i)))
            return true;
    return false;
}

int tg_constraint_against(const STACK_OF(X509) *path, const char *host)
{
    struct host wanted;
    bool readable = read_host(host, &wanted);

    for (int i = 1; i < sk_X509_num(path); i++) {
        const X509 *ca = sk_X509_value(path, i);
        NAME_CONSTRAINTS *constraints;
        bool free_to;

        if (!has_constraints(ca))
            continue;
        constraints = X509_get_ext_d2i(ca, NID_name_constraints, NULL, NULL);
        free_to = constraints != NULL && readable && lets(constraints, &wanted);
        NAME_CONSTRAINTS_free(constraints);
        if (!free_to)
            return i;
    }
    return 0;
}
