#include "store_digests.h"
#include "holding.h"
#include "material.h"
#include "pin.h"
#include "twin.h"
#include <openssl/x509v3.h>
#include <string.h>

void tg_store_digests(struct tg_load *load, struct tg_buf *digests, struct tg_digests *out)
{
    uint8_t(*kept)[TG_SHA256_SIZE] = NULL;

    if (digests->failed)
        tg_load_lost(load);
    else if (digests->length > 0)
        kept = tg_load_keep(load, digests->length);
    if (kept != NULL) {
        memcpy(kept, digests->text, digests->length);
        *out = (struct tg_digests){kept, digests->length / TG_SHA256_SIZE};
    }
    tg_buf_free(digests);
}

static void add_digest(struct tg_buf *digests, const uint8_t digest[TG_SHA256_SIZE])
{
    tg_buf_addn(digests, (const char *)digest, TG_SHA256_SIZE);
}

static bool is_prefixed(const struct tg_word *word, const char *prefix)
{
    return strncmp(word->text, prefix, strlen(prefix)) == 0;
}

/* A digest written out, by READ. */
static void add_literal(struct tg_store *in, const struct tg_word *word, struct tg_buf *digests,
                        const char *(*read)(struct tg_arena *, const char *, uint8_t *))
{
    uint8_t digest[TG_SHA256_SIZE];

    if (tg_store_check(in, word, read(in->load->scratch, word->text, digest)))
        add_digest(digests, digest);
}

/* A self-issued CA may be a device that made its certificate itself; another CA is no server. */
static bool is_issuing_ca(X509 *certificate)
{
    return X509_check_ca(certificate) == 1 && !(X509_get_extension_flags(certificate) & EXFLAG_SI);
}

/* What a rule trusts are those bytes; what is distrusted, whatever has the same meaning. */
static void add_certificate(struct tg_store *in, const struct tg_word *word, struct tg_buf *digests,
                            X509 *certificate)
{
    uint8_t digest[TG_SHA256_SIZE];

    if (in->field != NULL ? tg_hash_certificate(certificate, digest)
                          : tg_twin_signed(certificate, digest))
        add_digest(digests, digest);
    else
        tg_load_lost(in->load);
    if (in->field == NULL)
        tg_material_distrust(in->load, X509_get0_pubkey(certificate));
    if (in->setting->key->id == TG_KEY_TRUST_CERTIFICATE && is_issuing_ca(certificate))
        tg_load_warn(in->load, in->section, word,
                     "trust-certificate: %s holds the certificate of a CA, which no server "
                     "presents as its own",
                     word->text);
}

static void add_file(struct tg_store *in, const struct tg_word *word, struct tg_buf *digests)
{
    const struct tg_material *file = tg_material_get(in, word, TG_TAG_CERTIFICATES);
    const struct tg_holding *held = file != NULL ? file->certificates->holding : NULL;

    for (size_t i = 0; i < tg_holding_count(held); i++) {
        X509 *certificate = tg_holding_get(held, i);

        if (certificate != NULL)
            add_certificate(in, word, digests, certificate);
        else
            tg_load_lost(in->load);
    }
}

/* "sha256 Fingerprint=AA:BB...", or "AA:BB..." alone, as openssl-x509(1) prints it. */
static bool is_pasted(const struct tg_word *word)
{
    return strcasecmp(word->text, "sha256") == 0 ||
           strcasestr(word->text, "fingerprint=") != NULL ||
           (strlen(word->text) == 3 * TG_SHA256_SIZE - 1 &&
            strspn(word->text, "0123456789abcdefABCDEF:") == strlen(word->text));
}

static void add_leaf(struct tg_store *in, const struct tg_word *word, struct tg_buf *digests)
{
    if (is_prefixed(word, "sha256/"))
        tg_load_error(in->load, in->section, word, NULL,
                      "%s: \"%s\" is the pin of a key; a certificate is named by its file or as "
                      "sha256:HEX",
                      in->setting->key->name, word->text);
    else if (is_prefixed(word, "sha256:"))
        add_literal(in, word, digests, tg_fingerprint_read);
    else if (is_pasted(word))
        tg_load_error(in->load, in->section, word, NULL,
                      "%s: a fingerprint is written as sha256:HEX, with or without colons, and "
                      "nothing between",
                      in->setting->key->name);
    else
        add_file(in, word, digests);
}

static void add_pin(struct tg_store *in, const struct tg_word *word, struct tg_buf *digests)
{
    const struct tg_material *file;

    if (is_prefixed(word, "sha256:")) {
        tg_load_error(in->load, in->section, word, NULL,
                      "%s: \"%s\" is the fingerprint of a certificate; a key is named by a PEM "
                      "file or as sha256/BASE64",
                      in->setting->key->name, word->text);
    } else if (is_prefixed(word, "sha256/")) {
        add_literal(in, word, digests, tg_pin_read);
    } else {
        file = tg_material_get(in, word, in->field != NULL ? TG_TAG_SPKI : TG_TAG_KEY);
        if (file != NULL)
            add_digest(digests, file->spki);
    }
}

typedef void add_value(struct tg_store *in, const struct tg_word *word, struct tg_buf *digests);

/* A rule's own go to its field; what is distrusted adds up over all sections. */
static void store_digests(struct tg_store *in, add_value *add, struct tg_buf *distrusted)
{
    struct tg_buf own = {0};
    struct tg_buf *digests = in->field != NULL ? &own : distrusted;

    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next)
        add(in, word, digests);
    if (in->field != NULL)
        tg_store_digests(in->load, &own, in->field);
}

void tg_store_leaves(struct tg_store *in)
{
    store_digests(in, add_leaf, &in->load->distrusted_certificates);
}

void tg_store_pins(struct tg_store *in)
{
    store_digests(in, add_pin, &in->load->distrusted_keys);
}

void tg_store_fingerprint(struct tg_store *in)
{
    const struct tg_word *word = in->setting->values;

    (void)tg_store_check(in, word, tg_fingerprint_read(in->load->scratch, word->text, in->field));
}
