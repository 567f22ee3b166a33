#include "issuers.h"
#include "holding.h"
#include "presented.h"
#include "terminal.h"
#include "text.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* As many references are followed of one certificate, and certificates taken from one file. */
enum { REFERENCES = 4, MOST = 64 };

/* ---- what was downloaded ------------------------------------------------------------------ */

static void add_all(STACK_OF(X509) *out, const STACK_OF(X509) *from)
{
    for (int i = 0; i < sk_X509_num(from) && sk_X509_num(out) < MOST; i++)
        if (X509_add_cert(out, sk_X509_value(from, i), X509_ADD_FLAG_UP_REF) != 1)
            return;
}

/* The certificates of BUNDLE, which is freed: "certs-only", RFC 5652 section 5.1. */
static void add_bundle(STACK_OF(X509) *out, PKCS7 *bundle)
{
    if (bundle != NULL && PKCS7_type_is_signed(bundle) && bundle->d.sign != NULL)
        add_all(out, bundle->d.sign->cert);
    PKCS7_free(bundle);
}

static void add_der(STACK_OF(X509) *out, const unsigned char *der, long length)
{
    const unsigned char *at = der;
    X509 *one = d2i_X509(NULL, &at, length);

    if (one != NULL && at == der + length && sk_X509_push(out, one) > 0)
        return;
    X509_free(one);
    at = der;
    add_bundle(out, d2i_PKCS7(NULL, &at, length));
}

static void add_pem(STACK_OF(X509) *out, const char *text, int length)
{
    BIO *bio = BIO_new_mem_buf(text, length);
    char *name, *header;
    unsigned char *der;
    long size;

    while (bio != NULL && sk_X509_num(out) < MOST &&
           PEM_read_bio(bio, &name, &header, &der, &size)) {
        add_der(out, der, size);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    BIO_free(bio);
}

/* RFC 5280 section 4.2.2.1 has DER or certs-only CMS; servers have PEM too. */
static STACK_OF(X509) *parse(const struct tg_buf *data)
{
    STACK_OF(X509) *found = sk_X509_new_null();

    if (found != NULL && data->text[0] == 0x30)
        add_der(found, (const unsigned char *)data->text, (long)data->length);
    else if (found != NULL)
        add_pem(found, data->text, (int)data->length);
    ERR_clear_error();
    return found;
}

/* ---- who issued --------------------------------------------------------------------------- */

static bool issued(X509 *issuer, X509 *subject)
{
    bool did = X509_check_issued(issuer, subject) == X509_V_OK &&
               X509_verify(subject, X509_get0_pubkey(issuer)) == 1;

    ERR_clear_error();
    return did;
}

/* Why ISSUER can't stand on a path above SUBJECT, or NULL. */
static const char *fault(X509 *issuer, X509 *subject)
{
    if (!issued(issuer, subject))
        return "holds no certificate whose name and key issued the one that refers to it";
    if (X509_check_ca(issuer) != 1)
        return "holds an issuer that isn't a CA";
    if (X509_cmp_current_time(X509_get0_notBefore(issuer)) > 0 ||
        X509_cmp_current_time(X509_get0_notAfter(issuer)) < 0)
        return "holds an issuer that isn't valid now";
    return NULL;
}

static X509 *shared(X509 *certificate)
{
    return certificate != NULL && X509_up_ref(certificate) ? certificate : NULL;
}

static X509 *find_among(const STACK_OF(X509) *pool, X509 *subject)
{
    for (int i = 0; i < sk_X509_num(pool); i++)
        if (issued(sk_X509_value(pool, i), subject))
            return sk_X509_value(pool, i);
    return NULL;
}

/* *ISSUER is a new reference, or NULL; false without memory. */
static bool find_held(const struct tg_holding *held, X509 *subject, X509 **issuer)
{
    STACK_OF(X509) *pool = NULL;
    bool known = tg_holding_find(held, X509_get_issuer_name(subject), NULL, &pool);

    *issuer = shared(find_among(pool, subject));
    sk_X509_pop_free(pool, X509_free);
    return known;
}

/* A new reference, or NULL. */
static X509 *find_in_store(X509_STORE *store, X509 *subject)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509 *issuer = NULL;

    if (context == NULL || X509_STORE_CTX_init(context, store, subject, NULL) != 1 ||
        X509_STORE_CTX_get1_issuer(&issuer, context, subject) != 1 || !issued(issuer, subject)) {
        X509_free(issuer);
        issuer = NULL;
    }
    X509_STORE_CTX_free(context);
    ERR_clear_error();
    return issuer;
}

int tg_issuers_urls(const GENERAL_NAMES *names, char **url, int count)
{
    int found = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && found < count; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const ASN1_STRING *text = name->type == GEN_URI ? name->d.uniformResourceIdentifier : NULL;
        char *copy = text != NULL ? strndup((const char *)ASN1_STRING_get0_data(text),
                                            (size_t)ASN1_STRING_length(text))
                                  : NULL;

        if (copy != NULL && strlen(copy) == (size_t)ASN1_STRING_length(text) &&
            tg_download_takes(copy))
            url[found++] = copy;
        else
            free(copy);
    }
    return found;
}

/* The addresses at which SUBJECT says that its issuer is; how many. */
static int references(X509 *subject, char *url[REFERENCES])
{
    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(subject, NID_info_access, NULL, NULL);
    int count = 0;

    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access) && count < REFERENCES; i++) {
        const ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(access, i);
        GENERAL_NAMES *name = NULL;

        if (OBJ_obj2nid(one->method) == NID_ad_ca_issuers)
            name = sk_GENERAL_NAME_new_null();
        if (name != NULL && sk_GENERAL_NAME_push(name, one->location) > 0)
            count += tg_issuers_urls(name, url + count, 1);
        sk_GENERAL_NAME_free(name);
    }
    AUTHORITY_INFO_ACCESS_free(access);
    return count;
}

/* SUBJECT's issuer from URL, as a new reference; NULL with a sentence in WHY. */
static X509 *download(const struct tg_download *how, const char *url, X509 *subject,
                      struct tg_buf *why)
{
    struct tg_buf data = {0};
    STACK_OF(X509) *found = NULL;
    const char *wrong = NULL;
    X509 *issuer = NULL;

    if (tg_download(how, url, &data, why)) {
        found = parse(&data);
        wrong = sk_X509_num(found) < 1 ? "is no certificate, neither in DER, PEM nor PKCS#7" : NULL;
    }
    for (int i = 0; i < sk_X509_num(found) && issuer == NULL; i++) {
        const char *amiss = fault(sk_X509_value(found, i), subject);

        if (amiss == NULL && X509_up_ref(sk_X509_value(found, i)))
            issuer = sk_X509_value(found, i);
        else if (wrong == NULL || issued(sk_X509_value(found, i), subject))
            wrong = amiss;
    }
    if (issuer == NULL && wrong != NULL)
        tg_buf_add(why, wrong);
    sk_X509_pop_free(found, X509_free);
    tg_buf_free(&data);
    return issuer;
}

/* ---- the path ----------------------------------------------------------------------------- */

static bool push(struct tg_issuers *issuers, X509 *certificate, enum tg_issuer_from from, char *url)
{
    if (certificate == NULL || issuers->count == TG_ISSUERS_MOST)
        return false;
    issuers->path[issuers->count++] = (struct tg_issuer){certificate, from, url};
    return true;
}

/* Adds SUBJECT's issuer from the web; false if there is none to be had. */
static bool push_download(struct tg_issuers *issuers, X509 *subject, const struct tg_download *how)
{
    char *url[REFERENCES];
    int count = references(subject, url);
    bool pushed = false;

    issuers->unreferred = count == 0;
    for (int i = 0; i < count; i++) {
        struct tg_buf why = {0};
        X509 *issuer = pushed ? NULL : download(how, url[i], subject, &why);

        if (issuer != NULL && push(issuers, issuer, TG_FROM_WEB, url[i])) {
            pushed = true;
        } else {
            X509_free(issuer);
            if (!pushed)
                tg_complain("%s: %s", url[i], why.text != NULL ? why.text : "is one too many");
            free(url[i]);
        }
        tg_buf_free(&why);
    }
    return pushed;
}

/* Adds the issuer of the path's last certificate; false if that is the end. */
static bool climb(struct tg_issuers *issuers, const struct tg_question *question,
                  const struct tg_presented *presented, const struct tg_download *how)
{
    const struct tg_rule *rule = question->under.rule;
    X509 *last = issuers->path[issuers->count - 1].certificate, *issuer;

    if (X509_self_signed(last, 1) == 1) {
        issuers->complete = true;
        return false;
    }
    if (!find_held(rule != NULL ? rule->anchors : NULL, last, &issuer))
        return false;
    if (issuer == NULL)
        issuer = find_in_store(question->store, last);
    if (issuer != NULL) {
        issuers->complete = push(issuers, issuer, TG_FROM_ANCHOR, NULL);
        if (!issuers->complete)
            X509_free(issuer);
        return false;
    }
    issuer = find_among(presented->chain, last);
    if (issuer != NULL)
        return push(issuers, shared(issuer), TG_FROM_SENT, NULL);
    if (!find_held(rule != NULL ? rule->intermediates : NULL, last, &issuer))
        return false;
    if (issuer != NULL)
        return push(issuers, issuer, TG_FROM_POLICY, NULL);
    return push_download(issuers, last, how);
}

void tg_issuers_find(struct tg_issuers *issuers, const struct tg_question *question,
                     const struct tg_presented *presented, const struct tg_download *how)
{
    bool more = push(issuers, shared(sk_X509_value(presented->chain, 0)), TG_FROM_SENT, NULL);

    while (more && issuers->count < TG_ISSUERS_MOST)
        more = climb(issuers, question, presented, how);
    ERR_clear_error();
}

void tg_issuers_clear(struct tg_issuers *issuers)
{
    for (int i = 0; i < issuers->count; i++) {
        X509_free(issuers->path[i].certificate);
        free(issuers->path[i].url);
    }
}
