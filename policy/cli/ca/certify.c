#include "certify.h"
#include "pattern.h"
#include "terminal.h"
#include "text.h"
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    RSA_BITS = 3072,
    SERIAL_BITS = 159, /* 20 bytes, and positive: RFC 5280 section 4.1.2.2 */
    HOUR = 3600,
    DAY = 86400,
    COMMON_NAME_MOST = 64 /* RFC 5280, ub-common-name */
};

/* ---- names -------------------------------------------------------------------------------- */

/* Why PATTERN can't be a name of a certificate, or with BLOCKS what a CA is for; or NULL. */
static const char *fault(const struct tg_pattern *pattern, bool blocks)
{
    unsigned whole = pattern->family == AF_INET ? 32 : 128;

    if (pattern->port != 0)
        return "has a port: certificates are for names and addresses";
    if (pattern->kind == TG_PATTERN_ANY || (blocks && pattern->kind == TG_PATTERN_WILDCARD))
        return blocks ? "isn't a domain, which stands for all names below it too"
                      : "stands for every name: one certificate can't";
    if (pattern->kind == TG_PATTERN_WILDCARD && strchr(pattern->name, '.') == NULL)
        return "is a wildcard with one label behind it, which no program accepts: two have to "
               "follow, as in *.home.arpa";
    if (pattern->kind == TG_PATTERN_ADDRESS && !blocks && pattern->prefix != whole)
        return "is a block of addresses: certificates hold single ones";
    return NULL;
}

bool tg_names_read(struct tg_names *names, char *const *words, size_t count, bool blocks)
{
    struct tg_arena *arena = tg_arena_new();
    const char *wrong = arena == NULL ? "can't be read: memory ran out" : NULL;
    size_t column;

    names->item = calloc(count + 1, sizeof(*names->item));
    if (names->item == NULL)
        wrong = "can't be read: memory ran out";
    for (size_t i = 0; i < count && wrong == NULL; i++) {
        struct tg_pattern *pattern = &names->item[names->count++];

        wrong = tg_pattern_parse(arena, words[i], pattern, &column);
        if (wrong != NULL) {
            tg_complain("%s", wrong); /* it quotes the word */
        } else {
            wrong = fault(pattern, blocks);
            if (wrong != NULL)
                tg_complain("'%s' %s", words[i], wrong);
        }
    }
    tg_arena_free(arena);
    return wrong == NULL;
}

static void add_name(struct tg_buf *out, const struct tg_pattern *name)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (name->kind == TG_PATTERN_ADDRESS)
        inet_ntop(name->family, name->address, text, sizeof(text));
    tg_buf_printf(out, "%s%s", name->kind == TG_PATTERN_WILDCARD ? "*." : "",
                  name->kind == TG_PATTERN_ADDRESS ? text : name->name);
}

void tg_names_text(struct tg_buf *out, const struct tg_names *names, const char *separator)
{
    for (size_t i = 0; i < names->count; i++) {
        tg_buf_add(out, i > 0 ? separator : "");
        add_name(out, &names->item[i]);
    }
}

void tg_names_san(struct tg_buf *out, const struct tg_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        bool address = names->item[i].kind == TG_PATTERN_ADDRESS;

        tg_buf_printf(out, "%s%s:", i > 0 ? "," : "", address ? "IP" : "DNS");
        add_name(out, &names->item[i]);
    }
}

/* An address block as NAME CONSTRAINTS has it: "10.0.0.0/255.0.0.0". */
static void add_block(struct tg_buf *out, const struct tg_pattern *block)
{
    uint8_t mask[16] = {0};
    char text[INET6_ADDRSTRLEN] = "";

    for (unsigned bit = 0; bit < block->prefix; bit++)
        mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    add_name(out, block);
    inet_ntop(block->family, mask, text, sizeof(text));
    tg_buf_printf(out, "/%s", text);
}

/*
 * A constraint on one kind of name leaves the other kinds free (RFC 5280 section 4.2.1.10), so
 * that a CA for a domain could still speak for any address, and the reverse: both are closed.
 * ".invalid" is a domain that nobody has (RFC 2606).
 */
static void add_constraints(struct tg_buf *out, const struct tg_names *only)
{
    bool names = false, addresses = false;

    tg_buf_add(out, "critical");
    for (size_t i = 0; i < only->count; i++) {
        bool address = only->item[i].kind == TG_PATTERN_ADDRESS;

        tg_buf_printf(out, ",permitted;%s:", address ? "IP" : "DNS");
        if (address)
            add_block(out, &only->item[i]);
        else
            add_name(out, &only->item[i]);
        names |= !address;
        addresses |= address;
    }
    if (!addresses)
        tg_buf_add(out, ",excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::");
    if (!names)
        tg_buf_add(out, ",permitted;DNS:invalid");
}

/* ---- certificates ------------------------------------------------------------------------- */

EVP_PKEY *tg_certify_key(bool rsa)
{
    return rsa ? EVP_RSA_gen(RSA_BITS) : EVP_EC_gen("P-256");
}

struct extension {
    int nid;
    const char *value; /* NULL: left out */
};

static bool add_extensions(X509 *certificate, X509 *issuer, const struct extension *extensions,
                           size_t count)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        X509_EXTENSION *one;
        bool added;

        if (extensions[i].value == NULL)
            continue;
        one = X509V3_EXT_conf_nid(NULL, &context, extensions[i].nid, extensions[i].value);
        added = one != NULL && X509_add_ext(certificate, one, -1) == 1;
        X509_EXTENSION_free(one);
        if (!added)
            return false;
    }
    return true;
}

static bool set_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    bool set = number != NULL &&
               BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
               BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;

    BN_free(number);
    return set;
}

/*
 * From an hour ago, for clients whose clocks are slow, for DAYS together: who counts the days of
 * a certificate counts these. END bounds it; NULL: nothing does.
 */
static bool set_dates(X509 *certificate, int days, const ASN1_TIME *end)
{
    time_t begin = time(NULL) - HOUR, last = begin + (time_t)days * DAY - 1;

    if (ASN1_TIME_set(X509_getm_notBefore(certificate), begin) == NULL)
        return false;
    if (end != NULL && X509_cmp_time(end, &last) <= 0)
        return X509_set1_notAfter(certificate, end) == 1;
    return ASN1_TIME_set(X509_getm_notAfter(certificate), last) != NULL;
}

static X509 *begin(EVP_PKEY *key, const char *common_name, int days, X509 *issuer)
{
    X509 *certificate = X509_new();
    X509_NAME *subject = certificate != NULL ? X509_get_subject_name(certificate) : NULL;

    if (subject != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
        set_serial(certificate) &&
        set_dates(certificate, days, issuer != NULL ? X509_get0_notAfter(issuer) : NULL) &&
        (common_name == NULL ||
         X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                    (const unsigned char *)common_name, -1, -1, 0) == 1) &&
        X509_set_issuer_name(certificate,
                             issuer != NULL ? X509_get_subject_name(issuer) : subject) == 1 &&
        X509_set_pubkey(certificate, key) == 1)
        return certificate;
    X509_free(certificate);
    return NULL;
}

/* Signs CERTIFICATE with KEY, after EXTENSIONS were added; frees it where that fails. */
static X509 *finish(X509 *certificate, X509 *issuer, EVP_PKEY *key,
                    const struct extension *extensions, size_t count)
{
    if (certificate != NULL &&
        add_extensions(certificate, issuer != NULL ? issuer : certificate, extensions, count) &&
        X509_sign(certificate, key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

X509 *tg_certify_root(EVP_PKEY *key, const char *subject, int days, const struct tg_names *only)
{
    struct tg_buf constraints = {0};
    X509 *root = NULL;

    if (only->count > 0)
        add_constraints(&constraints, only);
    if (!constraints.failed) {
        const struct extension extensions[] = {
            {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
            {NID_key_usage, "critical,keyCertSign,cRLSign"},
            {NID_name_constraints, constraints.text},
            {NID_subject_key_identifier, "hash"},
        };

        root = finish(begin(key, subject, days, NULL), NULL, key, extensions,
                      sizeof(extensions) / sizeof(extensions[0]));
    }
    tg_buf_free(&constraints);
    return root;
}

/* The subject's name, which an address can't be: it would be taken for a DNS name, and measured by
 * constraints for these. */
static const struct tg_pattern *first_domain(const struct tg_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->item[i].kind != TG_PATTERN_ADDRESS)
            return &names->item[i];
    return NULL;
}

X509 *tg_certify_leaf(EVP_PKEY *key, const struct tg_names *names, int days, X509 *issuer,
                      EVP_PKEY *issuer_key)
{
    const struct tg_pattern *first = first_domain(names);
    struct tg_buf subject = {0}, san = {0};
    X509 *leaf = NULL;
    bool named;

    if (first != NULL)
        add_name(&subject, first);
    named = subject.length > 0 && subject.length <= COMMON_NAME_MOST;
    /* Without a subject the alternative names are critical: RFC 5280 section 4.2.1.6. */
    tg_buf_add(&san, named ? "" : "critical,");
    tg_names_san(&san, names);
    if (!subject.failed && !san.failed) {
        const struct extension extensions[] = {
            {NID_basic_constraints, "critical,CA:FALSE"},
            {NID_key_usage, EVP_PKEY_is_a(key, "RSA") ? "critical,digitalSignature,keyEncipherment"
                                                      : "critical,digitalSignature"},
            {NID_ext_key_usage, "serverAuth"},
            {NID_subject_alt_name, san.text},
            {NID_subject_key_identifier, "hash"},
            {NID_authority_key_identifier, "keyid:always"},
        };

        leaf = finish(begin(key, named ? subject.text : NULL, days, issuer), issuer, issuer_key,
                      extensions, sizeof(extensions) / sizeof(extensions[0]));
    }
    tg_buf_free(&subject);
    tg_buf_free(&san);
    return leaf;
}

int tg_certify_check(X509 *leaf, X509 *root)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int error = X509_V_ERR_OUT_OF_MEM;

    if (store != NULL && context != NULL && X509_STORE_add_cert(store, root) == 1 &&
        X509_STORE_CTX_init(context, store, leaf, NULL) == 1 &&
        X509_STORE_CTX_set_default(context, "ssl_server") == 1)
        error = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return error;
}
