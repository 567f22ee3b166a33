#include "keyfile.h"
#include "chain.h"
#include "hash.h"
#include "text.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

enum { LARGEST = 1 << 20 };

/* An encrypted key needn't be opened: whoever has it can print the public one. */
static int no_password(char *password, int size, int writing, void *was_asked)
{
    (void)password, (void)size, (void)writing;
    *(bool *)was_asked = true;
    return -1;
}

/* Each reads the key of one kind of file; NULL if it isn't one. */
typedef EVP_PKEY *read_key(BIO *bio, bool *was_asked);

static EVP_PKEY *public_pem(BIO *bio, bool *was_asked)
{
    return PEM_read_bio_PUBKEY(bio, NULL, no_password, was_asked);
}

static EVP_PKEY *private_pem(BIO *bio, bool *was_asked)
{
    return PEM_read_bio_PrivateKey(bio, NULL, no_password, was_asked);
}

static EVP_PKEY *key_of(X509_REQ *request)
{
    EVP_PKEY *key = request != NULL ? X509_REQ_get_pubkey(request) : NULL;

    X509_REQ_free(request);
    return key;
}

static EVP_PKEY *request_pem(BIO *bio, bool *was_asked)
{
    return key_of(PEM_read_bio_X509_REQ(bio, NULL, no_password, was_asked));
}

static EVP_PKEY *public_der(BIO *bio, bool *was_asked)
{
    (void)was_asked;
    return d2i_PUBKEY_bio(bio, NULL);
}

static EVP_PKEY *private_der(BIO *bio, bool *was_asked)
{
    (void)was_asked;
    return d2i_PrivateKey_bio(bio, NULL);
}

static EVP_PKEY *request_der(BIO *bio, bool *was_asked)
{
    (void)was_asked;
    return key_of(d2i_X509_REQ_bio(bio, NULL));
}

static EVP_PKEY *decode(const struct tg_buf *data, const char **kind, bool *was_asked)
{
    static const struct {
        const char *kind;
        read_key *read;
    } forms[] = {
        {"public key", public_pem},   {"private key", private_pem},
        {"public key", public_der},   {"certificate request", request_pem},
        {"private key", private_der}, {"certificate request", request_der},
    };
    EVP_PKEY *key = NULL;

    for (size_t i = 0; key == NULL && i < sizeof(forms) / sizeof(forms[0]); i++) {
        BIO *bio = BIO_new_mem_buf(data->text, (int)data->length);

        if (bio != NULL)
            key = forms[i].read(bio, was_asked);
        BIO_free(bio);
        *kind = forms[i].kind;
    }
    ERR_clear_error();
    return key;
}

static bool digest(EVP_PKEY *key, uint8_t pin[TG_SHA256_SIZE])
{
    unsigned char *der = NULL;
    int length = i2d_PUBKEY(key, &der);
    bool done = length > 0 && EVP_Digest(der, (size_t)length, pin, NULL, tg_hash_sha256(), NULL);

    OPENSSL_free(der);
    return done;
}

bool tg_keyfile_pin(const char *path, uint8_t pin[TG_SHA256_SIZE], const char **kind,
                    struct tg_buf *why)
{
    struct tg_buf data = {0};
    int error = tg_chain_bytes(path, LARGEST, &data);
    bool was_asked = false;
    EVP_PKEY *key = error == 0 && data.length > 0 ? decode(&data, kind, &was_asked) : NULL;
    bool done = key != NULL && digest(key, pin);

    if (error != 0)
        tg_buf_add(why, strerror(error));
    else if (was_asked && key == NULL)
        tg_buf_add(why, "is an encrypted private key: make its public key with `openssl pkey "
                        "-pubout` and give that");
    else if (!done)
        tg_buf_add(why, "holds no certificate, key or certificate request, in PEM or DER");
    if (data.text != NULL)
        OPENSSL_cleanse(data.text, data.capacity);
    tg_buf_free(&data);
    EVP_PKEY_free(key);
    return done;
}
