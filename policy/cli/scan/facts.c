#include "facts.h"
#include "hash.h"
#include "match.h"
#include "moment.h"
#include "terminal.h"
#include "write.h"
#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 86400, MOST_NAMES = 100 };

long tg_facts_days(time_t when, time_t now)
{
    long days = (long)((when - now) / DAY);

    return when < now && (when - now) % DAY != 0 ? days - 1 : days;
}

/* ---- the server's own certificate --------------------------------------------------------- */

/* Appends NAME, a DNS name or an address; false, with nothing appended, if it is another kind. */
static bool write_name(struct tg_buf *out, const GENERAL_NAME *name)
{
    char address[INET6_ADDRSTRLEN];
    const ASN1_OCTET_STRING *bytes;
    int kind;

    bytes = GENERAL_NAME_get0_value(name, &kind);
    if (kind == GEN_DNS)
        tg_buf_escape(out, (const char *)ASN1_STRING_get0_data(bytes),
                      (size_t)ASN1_STRING_length(bytes));
    else if (kind == GEN_IPADD && (bytes->length == 4 || bytes->length == 16) &&
             inet_ntop(bytes->length == 4 ? AF_INET : AF_INET6, bytes->data, address,
                       sizeof(address)) != NULL)
        tg_buf_add(out, address);
    else
        return false;
    return true;
}

/* Appends LEAF's names with COMMA between, MOST_NAMES at most. */
static void write_names(struct tg_buf *out, const X509 *leaf, const char *comma, bool json)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    int count = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && count < MOST_NAMES; i++) {
        struct tg_buf name = {0};

        if (write_name(&name, sk_GENERAL_NAME_value(names, i))) {
            tg_buf_add(out, count++ > 0 ? comma : "");
            if (json)
                tg_buf_json(out, name.text);
            else
                tg_buf_add(out, tg_why(&name));
        }
        out->failed |= name.failed;
        tg_buf_free(&name);
    }
    GENERAL_NAMES_free(names);
}

/* Appends "EC P-256", "RSA 2048", "ED25519". */
static void write_key(struct tg_buf *out, const X509 *leaf)
{
    const EVP_PKEY *key = X509_get0_pubkey(leaf);
    const char *type = key != NULL ? EVP_PKEY_get0_type_name(key) : NULL, *curve;
    char group[64];

    tg_buf_add(out, type != NULL ? type : "unknown");
    if (key == NULL || EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
        return;
    if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1) {
        curve = EC_curve_nid2nist(OBJ_sn2nid(group));
        tg_buf_printf(out, " %s", curve != NULL ? curve : group);
    } else {
        tg_buf_printf(out, " %d", EVP_PKEY_get_bits(key));
    }
}

void tg_facts_json(struct tg_buf *out, const X509 *leaf, time_t now)
{
    time_t end;

    tg_buf_add(out, ",\"key\":\"");
    write_key(out, leaf);
    tg_buf_add(out, "\",\"names\":[");
    write_names(out, leaf, ",", true);
    if (tg_moment_read(X509_get0_notAfter(leaf), &end))
        tg_buf_printf(out, "],\"days_left\":%ld", tg_facts_days(end, now));
    else
        tg_buf_add(out, "],\"days_left\":null");
}

static void take_leaf(struct tg_facts *out, const X509 *leaf)
{
    struct tg_buf subject = {0}, names = {0}, key = {0};

    tg_write_name(&subject, X509_get_subject_name(leaf));
    write_names(&names, leaf, ", ", false);
    write_key(&key, leaf);
    tg_buf_add(&names, "");
    tg_buf_add(&subject, subject.length == 0 ? "(no subject)" : "");
    out->subject = tg_buf_take(&subject);
    out->names = tg_buf_take(&names);
    out->key = tg_buf_take(&key);
    if (!tg_moment_read(X509_get0_notAfter(leaf), &out->not_after))
        out->not_after = 0;
}

/* ---- what ends ---------------------------------------------------------------------------- */

/* Takes over what WHAT holds. */
static void add_ending(struct tg_facts *out, time_t when, struct tg_buf *what)
{
    struct tg_ending *grown = reallocarray(out->endings, out->ending_count + 1, sizeof(*grown));
    size_t at = out->ending_count;

    if (grown == NULL) {
        tg_buf_free(what);
        return;
    }
    out->endings = grown;
    for (; at > 0 && grown[at - 1].when > when; at--)
        grown[at] = grown[at - 1];
    grown[at] = (struct tg_ending){when, tg_buf_take(what)};
    out->ending_count++;
}

static void add_named(struct tg_facts *out, const ASN1_TIME *end, time_t until, const char *what,
                      const X509_NAME *name)
{
    struct tg_buf text = {0};
    time_t when;

    if (end == NULL || !tg_moment_read(end, &when) || when >= until)
        return;
    tg_buf_add(&text, what);
    tg_write_name(&text, name);
    add_ending(out, when, &text);
}

static void add_path(struct tg_facts *out, const struct tg_verdict *verdict, time_t until)
{
    int count = sk_X509_num(verdict->path);

    for (int i = 0; i < count; i++) {
        const X509 *certificate = sk_X509_value(verdict->path, i);
        const char *what = i == 0           ? "the certificate "
                           : i == count - 1 ? "the anchor "
                                            : "the intermediate ";

        add_named(out, X509_get0_notAfter(certificate), until, what,
                  X509_get_subject_name(certificate));
    }
}

static void add_rule(struct tg_facts *out, const struct tg_rule *rule, time_t until)
{
    bool wanted =
        rule->revocation == TG_REVOCATION_CRL || rule->revocation == TG_REVOCATION_CRL_CHAIN;
    struct tg_buf text = {0};

    for (int i = 0; wanted && i < sk_X509_CRL_num(rule->crls); i++) {
        const X509_CRL *crl = sk_X509_CRL_value(rule->crls, i);

        add_named(out, X509_CRL_get0_nextUpdate(crl), until, "the CRL of ",
                  X509_CRL_get_issuer(crl));
    }
    if (rule->pins_expire == 0 || rule->pins_expire >= until)
        return;
    tg_buf_printf(&text, "the pins of the rule at %s:%u", rule->where.file, rule->where.line);
    add_ending(out, rule->pins_expire, &text);
}

static void add_exceptions(struct tg_facts *out, const struct tg_question *question,
                           const struct tg_verdict *verdict, time_t until)
{
    const tg_policy *policy = tg_policy_exceptions(question->policy, question->at.host);
    uint8_t leaf[TG_SHA256_SIZE];

    if (policy == NULL || !tg_hash_certificate(sk_X509_value(verdict->path, 0), leaf))
        return;
    for (size_t i = 0; i < policy->exception_count; i++) {
        const struct tg_exception *exception = &policy->exceptions[i];
        struct tg_buf text = {0};

        if (strcmp(exception->host, question->at.host) != 0 ||
            (exception->port != 0 && exception->port != question->at.port) ||
            memcmp(exception->leaf, leaf, sizeof(leaf)) != 0 || exception->expires == 0 ||
            exception->expires >= until)
            continue;
        tg_buf_printf(&text, "the exception at %s:%u", exception->where.file,
                      exception->where.line);
        add_ending(out, exception->expires, &text);
    }
}

void tg_facts_take(struct tg_facts *out, const struct tg_question *question,
                   const struct tg_verdict *verdict, time_t until)
{
    if (sk_X509_num(verdict->path) < 1)
        return;
    take_leaf(out, sk_X509_value(verdict->path, 0));
    add_path(out, verdict, until);
    if (verdict->rule != NULL)
        add_rule(out, verdict->rule, until);
    add_exceptions(out, question, verdict, until);
}

void tg_facts_clear(struct tg_facts *facts)
{
    for (size_t i = 0; i < facts->ending_count; i++)
        free(facts->endings[i].what);
    free(facts->endings);
    free(facts->subject);
    free(facts->names);
    free(facts->key);
    *facts = (struct tg_facts){0};
}
