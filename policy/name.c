#include "name.h"
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <string.h>

#define LISTED 4

bool tg_name_matches(X509 *leaf, const char *host, unsigned flags)
{
    char canonical[TG_HOST_SIZE];

    switch (tg_host_canonical(host, canonical)) {
    case TG_HOST_ADDRESS:
        return X509_check_ip_asc(leaf, canonical, 0) == 1;
    case TG_HOST_NAME:
        return X509_check_host(leaf, canonical, 0, flags | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                               NULL) == 1;
    case TG_HOST_INVALID:
        break;
    }
    return false;
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
