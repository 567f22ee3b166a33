/*
 * spiffe.c - a SPIFFE bundle is a JWK Set (RFC 7517 section 5), of which each key for X.509-SVIDs
 * has one certificate, of a CA, in x5c (the X509-SVID standard, section 6). Everything else that a
 * JWK says of its key stands in that certificate too.
 *
 * What a name means is told from its whole, unescaped; one that stands twice, or in another case,
 * is an error, for other readers of JSON take the other one.
 */
#include "spiffe.h"
#include "argument.h"
#include "json.h"
#include "pem.h"
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct bundle {
    struct tg_translation *out;
    const char *counted; /* what stands before it has been counted as lines */
    unsigned line;       /* that of the key that is read */
    struct tg_buf *pem;
    unsigned authorities, tokens; /* keys for X.509-SVIDs, and for JWT-SVIDs */
};

/* AT is never before what was asked for last: a file is counted once. */
static void go_to(struct bundle *bundle, const char *at)
{
    for (; bundle->counted < at; bundle->counted++)
        bundle->line += *bundle->counted == '\n';
}

#define ERROR(bundle, ...) tg_translate_error_at((bundle)->out, (bundle)->line, __VA_ARGS__)

/* ---- members ------------------------------------------------------------------------------- */

/* Sets VALUES to the values of the members NAMES, which end with NULL, of OBJECT. Errors are told.
 */
static void read_members(struct bundle *bundle, const char *object, const char *const *names,
                         const char **values)
{
    struct tg_buf name = {0};

    for (const char *value = tg_json_first(object, &name); value != NULL;
         value = tg_json_after(value, &name)) {
        size_t i = 0;

        while (names[i] != NULL && strcasecmp(name.text, names[i]) != 0)
            i++;
        if (names[i] == NULL)
            continue;
        if (strcmp(name.text, names[i]) != 0 || name.length != strlen(names[i]))
            ERROR(bundle, "'%s' is not understood: '%s' is", name.text, names[i]);
        else if (values[i] != NULL)
            ERROR(bundle, "'%s' stands twice", names[i]);
        else
            values[i] = value;
    }
    bundle->out->policy.failed |= name.failed;
    tg_buf_free(&name);
}

/* Appends ", NAME N" for the whole number N that VALUE is; nothing where it is NULL. */
static void add_number(struct bundle *bundle, struct tg_buf *text, const char *name,
                       const char *value)
{
    size_t length = value != NULL ? strspn(value, "0123456789") : 0;

    if (value == NULL)
        return;
    if (length == 0 || length > 20 || strchr(".eE", value[length]) != NULL)
        ERROR(bundle, "'%s' is no whole number", name);
    else
        tg_buf_printf(text, ", %s %.*s", name, (int)length, value);
}

/* ---- certificates -------------------------------------------------------------------------- */

/* The certificate whose DER TEXT is in base64 (RFC 7517 section 4.7: not base64url), to be freed;
 * NULL where it is none. */
static X509 *decode(const struct tg_buf *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t plain = strspn(text->text, digits), padding = text->length - plain;
    const unsigned char *end;
    unsigned char *der;
    X509 *found = NULL;
    int length = -1;

    if (plain == 0 || text->length % 4 != 0 || padding > 2 ||
        strspn(text->text + plain, "=") != padding)
        return NULL;
    der = malloc(text->length);
    if (der != NULL)
        length = EVP_DecodeBlock(der, (const unsigned char *)text->text, (int)text->length);
    end = der;
    if (length > 0)
        found = d2i_X509(NULL, &end, length - (int)padding);
    if (found != NULL && end != der + length - padding) {
        X509_free(found);
        found = NULL;
    }
    free(der);
    return found;
}

/* A certificate that isn't a CA's would be trusted as the server's own. */
static void add_certificate(struct bundle *bundle, const char *value)
{
    struct tg_buf text = {0};
    X509 *certificate = tg_json_string(value, &text) ? decode(&text) : NULL;

    if (certificate == NULL)
        ERROR(bundle, "its x5c holds no certificate in base64");
    else if (X509_check_ca(certificate) != 1)
        ERROR(bundle, "the certificate in its x5c is not that of a CA");
    else
        bundle->pem->failed |= !tg_pem_add(bundle->pem, NULL, certificate);
    bundle->out->policy.failed |= text.failed || bundle->pem->failed;
    X509_free(certificate);
    tg_buf_free(&text);
}

static void read_authority(struct bundle *bundle, const char *x5c)
{
    const char *first = x5c != NULL && *x5c == '[' ? tg_json_next(x5c) : NULL;

    bundle->authorities++;
    if (first == NULL || *first != '"' || tg_json_next(first) != NULL)
        ERROR(bundle, "a key for X.509-SVIDs has one certificate, as a string in its list x5c");
    else
        add_certificate(bundle, first);
}

/* ---- keys ---------------------------------------------------------------------------------- */

static void read_key(struct bundle *bundle, const char *key)
{
    static const char *const names[] = {"use", "x5c", NULL};
    const char *values[2] = {NULL, NULL};
    struct tg_buf use = {0};

    if (*key != '{') {
        ERROR(bundle, "a key is an object");
        return;
    }
    read_members(bundle, key, names, values);
    if (values[0] == NULL)
        tg_translate_gap_at(bundle->out, bundle->line, "a key without `use` is left out");
    else if (!tg_json_string(values[0], &use))
        ERROR(bundle, "the `use` of a key is a string");
    else if (use.length == strlen("x509-svid") && strcmp(use.text, "x509-svid") == 0)
        read_authority(bundle, values[1]);
    else if (use.length == strlen("jwt-svid") && strcmp(use.text, "jwt-svid") == 0)
        bundle->tokens++;
    else
        tg_translate_gap_at(bundle->out, bundle->line, "a key for '%s' is left out", use.text);
    tg_buf_free(&use);
}

/* Elements that are no objects end it, so that none of theirs is taken for one. */
static void read_keys(struct bundle *bundle, const char *keys)
{
    const char *key = tg_json_next(keys);
    unsigned errors = bundle->out->errors;

    for (; key != NULL && bundle->out->errors == errors; key = tg_json_next(key)) {
        go_to(bundle, key);
        read_key(bundle, key);
    }
    if (bundle->authorities == 0 && bundle->out->errors == errors)
        ERROR(bundle, "no key in it is for X.509-SVIDs: this trust domain vouches for no server "
                      "any more, and certificates that were taken from an older bundle are still "
                      "where they are; `action = reject` refuses the servers of a rule");
}

/* ---- the rule ------------------------------------------------------------------------------ */

static void write_rule(struct bundle *bundle, const struct tg_buf *facts, const char *pattern,
                       const char *anchors)
{
    struct tg_buf *policy = &bundle->out->policy;

    tg_buf_printf(policy, "\n# line 1: a SPIFFE bundle, authorities %u", bundle->authorities);
    tg_buf_addn(policy, facts->text != NULL ? facts->text : "", facts->length);
    if (bundle->tokens > 0)
        tg_buf_printf(policy, "\n# keys for JWT-SVIDs, left out: %u", bundle->tokens);
    tg_buf_printf(
        policy,
        "\n# A certificate has to name its host. No rule compares spiffe:// URIs: where\n"
        "# they are its only names, insecure-skip-hostname = yes takes every workload of\n"
        "# the trust domain for that host.\n"
        "[host %s]\nanchors = ",
        pattern);
    tg_argument_quote(policy, anchors);
    tg_buf_add(policy, "\n");
    policy->failed |= facts->failed;
}

void tg_translate_spiffe(struct tg_translation *out, const struct tg_buf *text, const char *pattern,
                         const char *anchors, struct tg_buf *pem)
{
    static const char *const names[] = {"keys", "spiffe_sequence", "spiffe_refresh_hint",
                                        "trust_domains", NULL};
    const char *values[4] = {NULL, NULL, NULL, NULL};
    struct bundle bundle = {.out = out, .counted = text->text, .line = 1, .pem = pem};
    struct tg_buf facts = {0};

    if (strlen(text->text) != text->length || !tg_json_is(text->text)) {
        ERROR(&bundle, "it is no JSON, or nested deeper than a bundle is");
        return;
    }
    read_members(&bundle, text->text + strspn(text->text, " \t\r\n"), names, values);
    add_number(&bundle, &facts, names[1], values[1]);
    add_number(&bundle, &facts, names[2], values[2]);
    if (values[3] != NULL)
        ERROR(&bundle, "it holds the bundles of several trust domains: take one out of it");
    else if (values[0] == NULL || *values[0] != '[')
        ERROR(&bundle, "it has no list `keys`, as a SPIFFE bundle has");
    else
        read_keys(&bundle, values[0]);
    if (out->errors == 0)
        write_rule(&bundle, &facts, pattern, anchors);
    tg_buf_free(&facts);
}
