/* openssl3.c - OpenSSL 3 and later. */
#include "libcrypto.h"
#include "openssl.h"
#include <openssl/err.h>

static bool recognise(void *object, const void *identity)
{
    return tg_openssl_version(object, identity) >= 0x30000000UL;
}

static unsigned long raise_error(const struct tg_libcrypto *crypto, const char *text)
{
    crypto->ERR_new();
    crypto->ERR_set_debug(OPENSSL_FILE, OPENSSL_LINE, OPENSSL_FUNC);
    crypto->ERR_set_error(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED, "trustgraft: %s", text);
    return ERR_PACK(ERR_LIB_SSL, 0, SSL_R_CERTIFICATE_VERIFY_FAILED);
}

static bool has_own_contexts(void)
{
    return true;
}

const struct tg_backend tg_backend_openssl3 = {
    .kind = TG_KIND_OPENSSL_3, TG_BACKEND_OPERATIONS(TG_BACKEND_OPENSSL, TG_BACKEND_OWN)};
