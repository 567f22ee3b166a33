#include "stored.h"
#include "holding.h"
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

/* One object's DER, all of it. */
typedef bool add_der(struct tg_stored *stored, const unsigned char *der, long length);

static bool add_certificate(struct tg_stored *stored, const unsigned char *der, long length)
{
    return tg_holding_add_der(stored->certificates.holding, der, (size_t)length);
}

static bool add_crl(struct tg_stored *stored, const unsigned char *der, long length)
{
    const unsigned char *end = der + length;
    X509_CRL *crl = d2i_X509_CRL(NULL, &der, length);

    if (crl != NULL && der == end && sk_X509_CRL_push(stored->material.crls, crl) > 0)
        return true;
    X509_CRL_free(crl);
    return false;
}

static bool add_key(struct tg_stored *stored, const unsigned char *der, long length)
{
    const unsigned char *end = der + length;

    stored->material.key = d2i_PUBKEY(NULL, &der, length);
    return stored->material.key != NULL && der == end;
}

static bool take_apart(struct tg_stored *stored, struct tg_image_bytes *bytes, enum tg_load_tag tag)
{
    static add_der *const adders[] = {
        [TG_TAG_CERTIFICATES] = add_certificate, [TG_TAG_CRLS] = add_crl, [TG_TAG_KEY] = add_key};
    add_der *add = tag < sizeof(adders) / sizeof(*adders) ? adders[tag] : NULL;
    const void *digest = tg_image_next(bytes, TG_SHA256_SIZE);
    uint64_t left = tg_image_number(bytes);

    if (digest == NULL || bytes->wrong || (left > 0 && add == NULL))
        return false;
    memcpy(stored->material.spki, digest, TG_SHA256_SIZE);
    for (; left > 0; left--) {
        uint64_t length = tg_image_number(bytes);
        const unsigned char *der = tg_image_next(bytes, length);

        if (der == NULL || length > LONG_MAX || !add(stored, der, (long)length))
            return false;
    }
    return true;
}

struct tg_stored *tg_stored_read(struct tg_image_reader *reader, uint64_t offset,
                                 enum tg_load_tag tag)
{
    struct tg_stored *stored = calloc(1, sizeof(*stored));
    struct tg_image_record record;
    char *text = NULL;
    bool done = false;

    if (stored == NULL)
        return NULL;
    stored->certificates.kept = true;
    stored->certificates.holding = tg_holding_new();
    stored->material.certificates = &stored->certificates;
    stored->material.crls = sk_X509_CRL_new_null();
    if (tg_image_read(reader, offset, &record, sizeof(record)) &&
        record.kind == TG_IMAGE_MATERIAL && record.tag == (uint64_t)tag &&
        record.value <= reader->image->header.size)
        text = tg_image_take(reader, offset + sizeof(record), record.value);
    ERR_set_mark();
    if (text != NULL && stored->certificates.holding != NULL && stored->material.crls != NULL)
        done = take_apart(stored, &(struct tg_image_bytes){text, text + record.value, false}, tag);
    ERR_pop_to_mark();
    free(text);
    if (done)
        return stored;
    tg_stored_free(stored);
    return NULL;
}

void tg_stored_free(struct tg_stored *stored)
{
    if (stored == NULL)
        return;
    tg_holding_free(stored->certificates.holding);
    sk_X509_CRL_pop_free(stored->material.crls, X509_CRL_free);
    EVP_PKEY_free(stored->material.key);
    free(stored);
}
