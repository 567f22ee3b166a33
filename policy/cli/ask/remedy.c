#include "remedy.h"
#include "finding.h"
#include "name.h"
#include "write.h"
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <string.h>

/* By kind of finding; the options that were given and HOST:PORT come behind the command. */
static const struct {
    enum tg_finding_kind kind;
    const char *command, *when;
} remedies[] = {
    {TG_LEAF_PIN_MISMATCH, "trustgraft pin --add", "if this is its new key"},
    {TG_PIN_MISMATCH, "trustgraft pin --add", "if this is its new key"},
    {TG_CA_PIN_MISMATCH, "trustgraft pin", "prints the ca-pin of its new CA, if it has one"},
    {TG_KNOWN_HOST_MISMATCH, "trustgraft pin --yes --to KNOWN-HOSTS", "if this is its new key"},
    {TG_KNOWN_HOST_MISSING, "trustgraft pin --to KNOWN-HOSTS", "if this is its key"},
    {TG_MISSING_ISSUER, "trustgraft fetch", "if it forgets an intermediate"},
    {TG_REVOCATION_UNKNOWN, "trustgraft fetch --revocation", "for the CRLs"},
    {TG_NAME_MISMATCH, NULL, "in its rule, if it is this server"},
};

static bool has(const struct tg_verdict *verdict, enum tg_finding_kind kind)
{
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (verdict->findings[i].kind == kind)
            return true;
    return false;
}

static bool may_be_forgiven(const struct tg_verdict *verdict)
{
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (!tg_finding_forgivable(verdict->findings[i].kind))
            return false;
    return verdict->finding_count > 0;
}

static void add_option(struct tg_buf *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    tg_buf_printf(out, " %s ", name);
    tg_argument_shell(out, value);
}

void tg_remedy_options(struct tg_buf *out, const struct tg_options *options)
{
    add_option(out, "-p", options->policy);
    for (int i = 0; options->resolve[i] != NULL; i++)
        add_option(out, "--resolve", options->resolve[i]);
    add_option(out, "--starttls", options->starttls);
}

static void add(struct tg_buf *out, const struct tg_question *question, const char *command,
                const char *when)
{
    tg_buf_printf(out, "  next    %s", command);
    tg_remedy_options(out, question->options);
    tg_buf_add(out, " ");
    tg_write_endpoint(out, question->at.host, question->at.port);
    tg_buf_printf(out, "  (%s)\n", when);
}

/* ---- a name to demand ---- */

/* TEXT of LENGTH bytes, if it is a host that LEAF is taken for. */
static bool is_demandable(X509 *leaf, const char *text, int length, char out[TG_HOST_SIZE])
{
    bool wild = length > 2 && memcmp(text, "*.", 2) == 0;
    char host[TG_HOST_SIZE];

    if (length > 0 && memchr(text, '\0', (size_t)length) == NULL &&
        snprintf(host, sizeof(host), "%s%.*s", wild ? "www." : "", wild ? length - 2 : length,
                 wild ? text + 2 : text) < TG_HOST_SIZE &&
        tg_host_spell(host, out) && tg_name_matches(leaf, out, 0))
        return true;
    out[0] = '\0';
    return false;
}

static bool is_demandable_name(X509 *leaf, const GENERAL_NAME *name, char out[TG_HOST_SIZE])
{
    char text[INET6_ADDRSTRLEN];
    int kind, length;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &kind);
    const unsigned char *data =
        kind == GEN_DNS || kind == GEN_IPADD ? ASN1_STRING_get0_data(value) : NULL;

    if (data == NULL)
        return false;
    length = ASN1_STRING_length(value);
    if (kind == GEN_DNS)
        return is_demandable(leaf, (const char *)data, length, out);
    return (length == 4 || length == 16) &&
           inet_ntop(length == 4 ? AF_INET : AF_INET6, data, text, sizeof(text)) != NULL &&
           is_demandable(leaf, text, (int)strlen(text), out);
}

bool tg_remedy_hostname(X509 *leaf, char out[TG_HOST_SIZE])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    X509_NAME *subject = X509_get_subject_name(leaf);
    bool found = false;
    char common[TG_HOST_SIZE];
    int length;

    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++)
        found = is_demandable_name(leaf, sk_GENERAL_NAME_value(names, i), out);
    length = X509_NAME_get_text_by_NID(subject, NID_commonName, common, sizeof(common));
    GENERAL_NAMES_free(names);
    return found || is_demandable(leaf, common, length, out);
}

/* ---- all ---- */

/* False if there is nothing to demand instead. */
static bool add_hostname(struct tg_buf *out, const struct tg_verdict *verdict, const char *when)
{
    char host[TG_HOST_SIZE];

    if (!tg_remedy_hostname(sk_X509_value(verdict->path, 0), host))
        return false;
    tg_buf_printf(out, "  next    hostname = %s  (%s)\n", host, when);
    return true;
}

void tg_remedy(struct tg_buf *out, const struct tg_question *question,
               const struct tg_verdict *verdict)
{
    for (size_t i = 0; i < sizeof(remedies) / sizeof(*remedies); i++) {
        if (!has(verdict, remedies[i].kind))
            continue;
        if (remedies[i].command != NULL)
            add(out, question, remedies[i].command, remedies[i].when);
        else if (!add_hostname(out, verdict, remedies[i].when))
            continue;
        return;
    }
    if (may_be_forgiven(verdict))
        add(out, question, "trustgraft except --expires 90d", "until it is mended");
}
