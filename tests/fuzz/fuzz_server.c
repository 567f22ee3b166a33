/*
 * fuzz_server.c - what a hostile server or a CRL's mirror sends, evaluated. The input is a letter
 * for what is changed and edits of it: two bytes of offset, how many bytes are cut out there, how
 * many stand in their place, and these.
 *
 *   l  the leaf; only the one that was signed may be accepted
 *   L  the leaf, signed anew; accepted only for a name that X509_check_host(3) finds as well
 *   i  another certificate that the server sends; the leaf is good and stays accepted
 *   s  the staple, which says that the leaf is revoked
 *   c  the CRL, which does too
 *
 * Keys and signatures (Ed25519) are the same in each run. As fuzz_policy.c is run.
 */
#include "evaluate.h"
#include "load.h"
#include "match.h"
#include "report.h"
#include "verdict.h"
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST "api.example.test"
#define NOW  1800000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct der {
    unsigned char *bytes;
    size_t size;
};

static char directory[] = "/tmp/fuzz_server-XXXXXX";
static EVP_PKEY *key;
static X509 *authority, *leaf;
static struct der leaf_der, authority_der, staple, crl;
static tg_policy *plain, *stapled;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_server: %s\n", what);
    abort();
}

#define REQUIRE(condition) require(condition, #condition)

/* ---- what is edited ------------------------------------------------------------------------ */

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    REQUIRE(extension && X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

static X509 *make_certificate(const char *name, long serial)
{
    X509 *made = X509_new();
    X509_NAME *subject = X509_NAME_new();
    ASN1_TIME *begin = ASN1_TIME_set(NULL, NOW - 1000), *end = ASN1_TIME_set(NULL, NOW + 1000);

    REQUIRE(made && subject && begin && end && X509_set_version(made, X509_VERSION_3));
    REQUIRE(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name,
                                       -1, -1, 0));
    REQUIRE(ASN1_INTEGER_set(X509_get_serialNumber(made), serial));
    REQUIRE(X509_set_subject_name(made, subject) && X509_set_pubkey(made, key));
    REQUIRE(X509_set1_notBefore(made, begin) && X509_set1_notAfter(made, end));
    X509_NAME_free(subject);
    ASN1_TIME_free(begin);
    ASN1_TIME_free(end);
    return made;
}

static void make_certificates(void)
{
    authority = make_certificate("authority", 1);
    add_extension(authority, NID_basic_constraints, "critical,CA:TRUE");
    REQUIRE(X509_set_issuer_name(authority, X509_get_subject_name(authority)));
    REQUIRE(X509_sign(authority, key, NULL) > 0);
    leaf = make_certificate("leaf", 2);
    add_extension(leaf, NID_subject_alt_name, "DNS:" HOST ",IP:192.0.2.1");
    add_extension(leaf, NID_ext_key_usage, "serverAuth");
    add_extension(leaf, NID_key_usage, "critical,digitalSignature");
    REQUIRE(X509_set_issuer_name(leaf, X509_get_subject_name(authority)));
    REQUIRE(X509_sign(leaf, key, NULL) > 0);
    leaf_der.size = (size_t)i2d_X509(leaf, &leaf_der.bytes);
    authority_der.size = (size_t)i2d_X509(authority, &authority_der.bytes);
}

static void make_staple(const ASN1_TIME *now, const ASN1_TIME *next)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), leaf, authority);
    OCSP_RESPONSE *response = NULL;

    REQUIRE(basic && id &&
            OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_REVOKED, 1, (ASN1_TIME *)now,
                                   (ASN1_TIME *)now, (ASN1_TIME *)next) &&
            OCSP_basic_sign(basic, authority, key, NULL, NULL, OCSP_NOTIME));
    response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    REQUIRE(response != NULL);
    staple.size = (size_t)i2d_OCSP_RESPONSE(response, &staple.bytes);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
}

static void make_crl(const ASN1_TIME *now, const ASN1_TIME *next)
{
    X509_CRL *list = X509_CRL_new();
    X509_REVOKED *entry = X509_REVOKED_new();

    REQUIRE(list && entry && X509_CRL_set_version(list, X509_CRL_VERSION_2));
    REQUIRE(X509_CRL_set_issuer_name(list, X509_get_subject_name(authority)));
    REQUIRE(X509_CRL_set1_lastUpdate(list, now) && X509_CRL_set1_nextUpdate(list, next));
    REQUIRE(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(leaf)));
    REQUIRE(X509_REVOKED_set_revocationDate(entry, (ASN1_TIME *)now));
    REQUIRE(X509_CRL_add0_revoked(list, entry) && X509_CRL_sign(list, key, NULL) > 0);
    crl.size = (size_t)i2d_X509_CRL(list, &crl.bytes);
    X509_CRL_free(list);
}

static void write_file(const char *name, const void *bytes, size_t size)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    umask(077);
    file = fopen(path, "w");
    REQUIRE(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static tg_policy *read_policy(const char *more)
{
    struct tg_diags diags = {0};
    char text[256], path[64];
    tg_policy *policy;

    snprintf(text, sizeof text, "[host " HOST "]\nanchors = ca.der\n%s", more);
    write_file("policy.conf", text, strlen(text));
    snprintf(path, sizeof path, "%s/policy.conf", directory);
    policy = tg_policy_parse(path, &diags);
    REQUIRE((policy == NULL) == tg_diags_failed(&diags));
    tg_diags_clear(&diags);
    return policy;
}

static void remove_files(void)
{
    static const char *const names[] = {"policy.conf", "ca.der", "list.crl", ""};
    char path[64];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        remove(path);
    }
}

static void make_all(void)
{
    static const unsigned char secret[32] = {1};
    ASN1_TIME *now = ASN1_TIME_set(NULL, NOW - 10), *next = ASN1_TIME_set(NULL, NOW + 1000);

    key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof secret);
    REQUIRE(key && now && next && mkdtemp(directory));
    atexit(remove_files);
    make_certificates();
    make_staple(now, next);
    make_crl(now, next);
    write_file("ca.der", authority_der.bytes, authority_der.size);
    plain = read_policy("");
    stapled = read_policy("revocation = staple-required\n");
    REQUIRE(plain && stapled);
    ASN1_TIME_free(now);
    ASN1_TIME_free(next);
}

/* BASE with the edits in DATA; what reaches beyond it stands at its end. */
static struct der edit(const struct der *base, const uint8_t *data, size_t size)
{
    struct der out = {malloc(base->size + size), base->size};

    REQUIRE(out.bytes != NULL);
    memcpy(out.bytes, base->bytes, base->size);
    while (size >= 4) {
        size_t at = (size_t)(data[0] << 8 | data[1]) % (out.size + 1), cut = data[2];
        size_t more = data[3] < size - 4 ? data[3] : size - 4;

        if (cut > out.size - at)
            cut = out.size - at;
        memmove(out.bytes + at + more, out.bytes + at + cut, out.size - at - cut);
        memcpy(out.bytes + at, data + 4, more);
        out.size = out.size - cut + more;
        data += 4 + more;
        size -= 4 + more;
    }
    return out;
}

/* ---- what becomes of it -------------------------------------------------------------------- */

static void check_text(char *text)
{
    REQUIRE(text != NULL);
    for (const char *at = text; *at; at++)
        REQUIRE((*at >= ' ' && *at != 0x7F) || (unsigned char)*at >= 0x80);
    free(text);
}

static bool accepts(const tg_policy *policy, X509 *certificate, X509 *more,
                    const struct der *answer)
{
    struct tg_match match = tg_policy_match(policy, HOST, 443, "/usr/bin/x");
    struct tg_occasion occasion = {.time = NOW, .program = "/x", .pid = 1, .host = HOST, .port = 1};
    STACK_OF(X509) *sent = sk_X509_new_null();
    struct tg_query query = {
        .leaf = certificate, .sent = sent, .host = HOST, .port = 443, .now = NOW};
    struct tg_verdict *verdict;
    bool accepted;

    REQUIRE(sent && (!more || sk_X509_push(sent, more)));
    query.staple = answer ? answer->bytes : NULL;
    query.staple_length = answer ? answer->size : 0;
    verdict = tg_evaluate(policy, &match, &query);
    REQUIRE(verdict != NULL);
    check_text(tg_verdict_text(verdict, &occasion));
    check_text(tg_verdict_json(verdict, &occasion));
    accepted = verdict->accepted;
    tg_verdict_free(verdict);
    sk_X509_free(sent);
    return accepted;
}

static X509 *decode(const struct der *der)
{
    const unsigned char *at = der->bytes;

    return d2i_X509(NULL, &at, (long)der->size);
}

static void try_leaf(const struct der *changed, bool sign)
{
    X509 *certificate = decode(changed);

    if (certificate && sign && !X509_sign(certificate, key, NULL)) {
        X509_free(certificate);
        certificate = NULL;
    }
    if (certificate && accepts(plain, certificate, NULL, NULL))
        REQUIRE(sign ? X509_check_host(certificate, HOST, 0, 0, NULL) == 1
                     : X509_cmp(certificate, leaf) == 0);
    X509_free(certificate);
}

static void try_sent(const struct der *changed)
{
    X509 *certificate = decode(changed);

    REQUIRE(!certificate || accepts(plain, leaf, certificate, NULL));
    X509_free(certificate);
}

static void try_list(const struct der *changed)
{
    tg_policy *policy;

    write_file("list.crl", changed->bytes, changed->size);
    policy = read_policy("revocation = crl\ncrl = list.crl\n");
    REQUIRE(!policy || !accepts(policy, leaf, NULL, NULL));
    tg_policy_free(policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct der *base;
    struct der changed;
    char what;

    if (!key)
        make_all();
    what = size > 0 ? (char)data[0] : 'l';
    base = what == 's' ? &staple : what == 'c' ? &crl : what == 'i' ? &authority_der : &leaf_der;
    changed = size > 0 ? edit(base, data + 1, size - 1) : edit(base, data, 0);
    if (what == 's')
        REQUIRE(!accepts(stapled, leaf, NULL, &changed));
    else if (what == 'c')
        try_list(&changed);
    else if (what == 'i')
        try_sent(&changed);
    else
        try_leaf(&changed, what == 'L');
    free(changed.bytes);
    ERR_clear_error();
    return 0;
}
