#include "credential.h"
#include "pem.h"
#include "terminal.h"
#include "text.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- its files ---------------------------------------------------------------------------- */

/* Nothing of what shells, terminals and paths would take for something else. */
static bool is_base(const char *base)
{
    return base[0] != '.' && base[0] != '-' && base[0] != '\0' &&
           base[strspn(base,
                       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")] ==
               '\0' &&
           strlen(base) <= TG_BASE_MOST;
}

/* What the files are called: as they are told, or as the first name. */
static bool choose_base(struct tg_credential *credential)
{
    const struct tg_altnames first = {.item = credential->names.item, .count = 1};
    struct tg_buf name = {0};
    bool chosen = true;

    if (credential->base != NULL) {
        chosen = is_base(credential->base);
        if (!chosen)
            tg_complain("--name: '%s' can't be a file's: letters, digits, '.', '_' and '-' can, %d "
                        "at most",
                        credential->base, TG_BASE_MOST);
        return chosen;
    }
    tg_altnames_text(&name, &first, "");
    /* "*" would be a pattern to shells, and no name has a "_" there. */
    if (!name.failed && name.text[0] == '*')
        name.text[0] = '_';
    chosen = !name.failed && name.length <= TG_BASE_MOST;
    if (chosen)
        memcpy(credential->own_base, name.text, name.length + 1);
    else
        tg_complain("ca issue: the first name is too long for files: --name gives them another");
    credential->base = credential->own_base;
    tg_buf_free(&name);
    return chosen;
}

static bool find_files(struct tg_credential *credential, const struct tg_ca *ca)
{
    const struct {
        const char *end;
        char *path;
    } files[] = {
        {"key", credential->key_path}, {"pem", credential->path}, {"p12", credential->bundle_path}};
    bool found = true;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && found; i++) {
        char name[sizeof("issued/.pem") + TG_BASE_SIZE];

        snprintf(name, sizeof(name), "issued/%s.%s", credential->base, files[i].end);
        found = tg_ca_path(ca, name, files[i].path);
    }
    return found;
}

bool tg_credential_is_client(X509 *certificate)
{
    return (X509_get_extended_key_usage(certificate) & (XKU_SSL_SERVER | XKU_SSL_CLIENT)) ==
           XKU_SSL_CLIENT;
}

bool tg_credential_find(struct tg_credential *credential, const struct tg_ca *ca)
{
    bool missing = false;

    if (!choose_base(credential) || !find_files(credential, ca))
        return false;
    credential->before = tg_ca_read_certificate(credential->path, &missing);
    return credential->before != NULL || missing;
}

/* ---- its key ------------------------------------------------------------------------------ */

/* A certificate of a server isn't replaced with that of a client, nor the key of one with the
 * request of another: who uses these files would find it out later. */
static bool may_replace(const struct tg_credential *credential, const struct tg_options *options)
{
    bool key_there = access(credential->key_path, F_OK) == 0 || errno != ENOENT;
    const char *wrong = NULL;

    if (credential->before != NULL &&
        tg_credential_is_client(credential->before) != credential->client)
        wrong = credential->client ? "is a server's certificate" : "is a client's certificate";
    else if (credential->foreign && key_there)
        wrong = "has its private key beside it, which isn't that of the request";
    else if (!credential->foreign && credential->before != NULL && !key_there && !options->new_key)
        wrong = "has no private key beside it, as it was issued for a request: --new-key makes one";
    if (wrong != NULL)
        tg_complain("%s: %s; --name gives the new one's files another name", credential->path,
                    wrong);
    return wrong == NULL;
}

/* The key that is there, or a new one. */
static bool choose_key(struct tg_credential *credential, const struct tg_options *options)
{
    bool missing = false, kept;

    credential->key = tg_ca_read_key(credential->key_path, &missing);
    if (credential->key == NULL && !missing && !options->new_key)
        return false;
    credential->key_there = !missing;
    kept = credential->key != NULL && !options->new_key;
    if (kept && options->rsa && !EVP_PKEY_is_a(credential->key, "RSA")) {
        tg_complain("ca issue: %s is no RSA key: --new-key replaces it", credential->key_path);
        return false;
    }
    if (kept)
        return true;
    EVP_PKEY_free(credential->key);
    credential->key = tg_certify_key(options->rsa);
    credential->key_made = true;
    if (credential->key == NULL)
        tg_complain("ca issue: libcrypto can't make a key");
    return credential->key != NULL;
}

bool tg_credential_again(struct tg_credential *credential, const struct tg_ca *ca,
                         const struct tg_options *options)
{
    GENERAL_NAMES *names;
    bool taken;

    if (credential->before == NULL) {
        tg_complain("ca renew: %s isn't there: 'trustgraft ca list' tells what is",
                    credential->path);
        return false;
    }
    if (!tg_certify_signed(credential->before, ca->root)) {
        tg_complain("ca renew: %s isn't from this CA", credential->path);
        return false;
    }
    names = X509_get_ext_d2i(credential->before, NID_subject_alt_name, NULL, NULL);
    taken = tg_altnames_take(&credential->names, names, credential->path);
    GENERAL_NAMES_free(names);
    if (taken && credential->names.count == 0) {
        tg_complain("ca renew: %s has no names", credential->path);
        taken = false;
    }
    credential->client = tg_credential_is_client(credential->before);
    if (taken && access(credential->key_path, F_OK) == -1 && errno == ENOENT && !options->new_key) {
        credential->foreign = true;
        credential->key = X509_get_pubkey(credential->before);
        taken = credential->key != NULL;
    }
    return taken;
}

/* ---- its certificate ---------------------------------------------------------------------- */

/* Where the CA keeps what it has issued: by the number, so that no two are in each other's way. */
static bool find_record(struct tg_credential *credential, const struct tg_ca *ca)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(credential->leaf), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;
    char name[sizeof("record/..pem") + TG_BASE_SIZE + 64];
    bool found = hex != NULL;

    if (found) {
        snprintf(name, sizeof(name), "record/%s.%.64s.pem", credential->base, hex);
        found = tg_ca_path(ca, name, credential->record_path);
    }
    OPENSSL_free(hex);
    BN_free(number);
    return found;
}

static bool is_sound(const struct tg_credential *credential, X509 *root)
{
    int error = tg_certify_check(credential->leaf, root, credential->client);

    if (error == X509_V_ERR_PERMITTED_VIOLATION || error == X509_V_ERR_EXCLUDED_VIOLATION)
        tg_complain("ca issue: this CA can't speak for all of these names: it was made with --only "
                    "for others");
    else if (error != X509_V_OK)
        tg_complain("ca issue: no %s would accept the certificate: %s",
                    credential->client ? "server" : "client", X509_verify_cert_error_string(error));
    return error == X509_V_OK;
}

bool tg_credential_make(struct tg_credential *credential, const struct tg_ca *ca,
                        const struct tg_options *options)
{
    if (!may_replace(credential, options) ||
        (!credential->foreign && !choose_key(credential, options)))
        return false;
    if (EVP_PKEY_eq(credential->key, ca->key) == 1) {
        tg_complain("ca issue: the key is the CA's own, which is for nothing else");
        return false;
    }
    credential->leaf = tg_certify_leaf(credential->key, &credential->names, credential->client,
                                       credential->days, ca->root, ca->key);
    if (credential->leaf == NULL) {
        tg_complain("ca issue: libcrypto can't make the certificate: %s",
                    ERR_reason_error_string(ERR_peek_last_error()));
        return false;
    }
    return is_sound(credential, ca->root) && find_record(credential, ca);
}

/* ---- writing ------------------------------------------------------------------------------ */

/* Appends a PKCS#12 file (RFC 7292) of the key, the certificate and the CA's. */
static bool add_bundle(struct tg_buf *out, const struct tg_credential *credential, X509 *root,
                       const char *password)
{
    STACK_OF(X509) *others = sk_X509_new_null();
    unsigned char *der = NULL;
    PKCS12 *bundle = NULL;
    int length = 0;

    if (others != NULL && sk_X509_push(others, root) > 0)
        bundle =
            PKCS12_create(password, NULL, credential->key, credential->leaf, others, 0, 0, 0, 0, 0);
    if (bundle != NULL)
        length = i2d_PKCS12(bundle, &der);
    if (length > 0)
        tg_buf_addn(out, (const char *)der, (size_t)length);
    OPENSSL_free(der);
    PKCS12_free(bundle);
    sk_X509_free(others);
    return length > 0 && !out->failed;
}

/* The record first: what was issued is never unknown. Then the key before what is made of it. */
static bool write_files(const struct tg_credential *credential, const struct tg_buf texts[3],
                        struct tg_buf *why)
{
    struct tg_save saves[4] = {{credential->record_path, &texts[1], .mode = 0644}};
    size_t count = 1;

    if (credential->key_made)
        saves[count++] = (struct tg_save){credential->key_path, &texts[0], .mode = 0600,
                                          .replace = credential->key_there};
    saves[count++] = (struct tg_save){credential->path, &texts[1], .mode = 0644,
                                      .replace = credential->before != NULL};
    if (!credential->foreign)
        saves[count++] =
            (struct tg_save){credential->bundle_path, &texts[2], .mode = 0600, .replace = true};
    return tg_save_all(saves, count, true, why);
}

static bool encode(const struct tg_credential *credential, const struct tg_ca *ca,
                   const char *password, struct tg_buf texts[3])
{
    return tg_pem_add(&texts[1], NULL, credential->leaf) &&
           (credential->foreign || (tg_pem_add(&texts[0], credential->key, NULL) &&
                                    add_bundle(&texts[2], credential, ca->root, password)));
}

bool tg_credential_write(const struct tg_credential *credential, const struct tg_ca *ca,
                         const char *password)
{
    struct tg_buf texts[3] = {0}, why = {0};
    char issued[PATH_MAX], record[PATH_MAX];
    bool written;

    if (!tg_ca_path(ca, "issued", issued) || !tg_ca_path(ca, "record", record))
        return false;
    written = encode(credential, ca, password, texts);
    if (!written)
        tg_buf_add(&why, "libcrypto can't encode the key and certificate");
    written = written && tg_save_folder(issued, 0700, &why) && tg_save_folder(record, 0700, &why) &&
              write_files(credential, texts, &why);
    if (!written)
        tg_complain_of("ca issue", &why);
    for (int i = 0; i < 3; i++) {
        if (texts[i].text != NULL)
            OPENSSL_cleanse(texts[i].text, texts[i].length);
        tg_buf_free(&texts[i]);
    }
    tg_buf_free(&why);
    ERR_clear_error();
    return written;
}

static bool has(const GENERAL_NAMES *names, GENERAL_NAME *name)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(names, i), name) == 0)
            return true;
    return false;
}

bool tg_credential_renews(const struct tg_credential *credential)
{
    GENERAL_NAMES *old = X509_get_ext_d2i(credential->before, NID_subject_alt_name, NULL, NULL);
    GENERAL_NAMES *new = X509_get_ext_d2i(credential->leaf, NID_subject_alt_name, NULL, NULL);
    bool same = sk_GENERAL_NAME_num(old) == sk_GENERAL_NAME_num(new);

    for (int i = 0; same && i < sk_GENERAL_NAME_num(new); i++)
        same = has(old, sk_GENERAL_NAME_value(new, i));
    GENERAL_NAMES_free(old);
    GENERAL_NAMES_free(new);
    return same;
}

void tg_credential_clear(struct tg_credential *credential)
{
    free(credential->names.item);
    EVP_PKEY_free(credential->key);
    X509_free(credential->leaf);
    X509_free(credential->before);
}
