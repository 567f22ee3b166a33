#include "credential.h"
#include "pem.h"
#include "terminal.h"
#include "text.h"
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

static bool find_files(struct tg_credential *credential, const struct tg_ca *ca)
{
    const struct tg_altnames first = {.item = credential->names.item, .count = 1};
    struct tg_buf name = {0}, path = {0};
    bool found;

    tg_altnames_text(&name, &first, "");
    /* "*" would be a pattern to shells, and no name has a "_" there. */
    if (!name.failed && name.text[0] == '*')
        name.text[0] = '_';
    tg_buf_printf(&path, "issued/%s.key", name.text);
    found = !name.failed && !path.failed && tg_ca_path(ca, path.text, credential->key_path);
    if (found) {
        memcpy(path.text + path.length - 3, "pem", 3);
        found = tg_ca_path(ca, path.text, credential->path);
        memcpy(path.text + path.length - 3, "p12", 3);
        found = found && tg_ca_path(ca, path.text, credential->bundle_path);
    }
    tg_buf_free(&name);
    tg_buf_free(&path);
    return found;
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

bool tg_credential_make(struct tg_credential *credential, const struct tg_ca *ca,
                        const struct tg_options *options)
{
    bool missing = false;
    int error;

    if (!find_files(credential, ca) || !choose_key(credential, options))
        return false;
    credential->before = tg_ca_read_certificate(credential->path, &missing);
    if (credential->before == NULL && !missing)
        return false;
    credential->leaf =
        tg_certify_leaf(credential->key, &credential->names, credential->days, ca->root, ca->key);
    if (credential->leaf == NULL) {
        tg_complain("ca issue: libcrypto can't make the certificate: %s",
                    ERR_reason_error_string(ERR_peek_last_error()));
        return false;
    }
    error = tg_certify_check(credential->leaf, ca->root);
    if (error == X509_V_ERR_PERMITTED_VIOLATION || error == X509_V_ERR_EXCLUDED_VIOLATION)
        tg_complain("ca issue: this CA can't speak for all of these names: it was made with --only "
                    "for others");
    else if (error != X509_V_OK)
        tg_complain("ca issue: no client would accept the certificate: %s",
                    X509_verify_cert_error_string(error));
    return error == X509_V_OK;
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

/* The key before the others. */
static bool write_files(const struct tg_credential *credential, const struct tg_buf texts[3],
                        struct tg_buf *why)
{
    struct tg_save saves[3] = {
        {credential->key_path, &texts[0], .mode = 0600, .replace = credential->key_there},
        {credential->path, &texts[1], .mode = 0644, .replace = true},
        {credential->bundle_path, &texts[2], .mode = 0600, .replace = true}};
    size_t kept = credential->key_made ? 0 : 1;

    return tg_save_all(saves + kept, 3 - kept, true, why);
}

bool tg_credential_write(const struct tg_credential *credential, const struct tg_ca *ca,
                         const char *password)
{
    struct tg_buf texts[3] = {0}, why = {0};
    char folder[PATH_MAX];
    bool written;

    if (!tg_ca_path(ca, "issued", folder))
        return false;
    written = tg_pem_add(&texts[0], credential->key, NULL) &&
              tg_pem_add(&texts[1], NULL, credential->leaf) &&
              add_bundle(&texts[2], credential, ca->root, password);
    if (!written)
        tg_buf_add(&why, "libcrypto can't encode the key and certificate");
    written = written && tg_save_folder(folder, 0700, &why) && write_files(credential, texts, &why);
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
