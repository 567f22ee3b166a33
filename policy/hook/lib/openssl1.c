/* openssl1.c - OpenSSL 1.1.1, as a foreign library alone: ours is OpenSSL 3. */
#include "libcrypto.h"
#include "openssl.h"
#include <openssl/err.h>

static bool recognise(void *object, const void *identity)
{
    unsigned long version = tg_openssl_version(object, identity);

    return version != 0 && version < 0x30000000UL;
}

/* As its ERR_PACK does. */
static unsigned long raise_error(const struct tg_libcrypto *crypto, const char *text)
{
    (crypto->ERR_put_error)(ERR_LIB_SSL, 0, SSL_R_CERTIFICATE_VERIFY_FAILED, OPENSSL_FILE,
                            OPENSSL_LINE);
    crypto->ERR_add_error_data(2, "trustgraft: ", text);
    return (unsigned long)ERR_LIB_SSL << 24 | SSL_R_CERTIFICATE_VERIFY_FAILED;
}

static bool has_own_contexts(void)
{
    return false;
}

const struct tg_backend tg_backend_openssl1 = {
    .kind = TG_KIND_OPENSSL_1, TG_BACKEND_OPERATIONS(TG_BACKEND_OPENSSL, TG_BACKEND_OWN)};
