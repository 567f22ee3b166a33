#include "pem.h"
#include <openssl/pem.h>

bool tg_pem_add(struct tg_buf *out, const EVP_PKEY *key, const X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long length = 0;
    bool written =
        bio != NULL &&
        (key == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) &&
        (certificate == NULL || PEM_write_bio_X509(bio, certificate) == 1);

    if (written)
        length = BIO_get_mem_data(bio, &text);
    if (length > 0)
        tg_buf_addn(out, text, (size_t)length);
    if (text != NULL)
        OPENSSL_cleanse(text, (size_t)length);
    BIO_free(bio);
    return written && !out->failed;
}
