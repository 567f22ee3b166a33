/*
 * inside.c - the engine with a libcrypto of its own inside: linked into libtrustgraft-inside.so.0
 * alone. Each libcrypto of the process is foreign to it (cryptolib.h), also an OpenSSL 3 that comes
 * later; its own can't be searched for functions, since they are hidden.
 */
#include "inject.h"
#include "libcrypto.h"
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdio.h>

/* Their addresses alone: headers may have a name as a macro, or with other types. */
#define DECLARE(kinds, result, name, parameters) extern const char own_##name __asm__(#name);
TG_LIBCRYPTO_FUNCTIONS(DECLARE)
#undef DECLARE

/* What OpenSSL 3 lacks: NULL. */
__asm__(".weak ERR_put_error, CRYPTO_BUFFER_data, CRYPTO_BUFFER_len");
__asm__(".hidden ERR_put_error, CRYPTO_BUFFER_data, CRYPTO_BUFFER_len");

static const struct tg_libcrypto own = {
#define ENTRY(kinds, result, name, parameters) .name = (__typeof__(own.name))&own_##name,
    TG_LIBCRYPTO_FUNCTIONS(ENTRY)
#undef ENTRY
};

/*
 * Before anything else could initialise it: no openssl.cnf, which is the host's, and would have our
 * own provider loaded into it, and nothing at exit(3), when other threads may still verify.
 */
__attribute__((constructor(101))) static void begin(void)
{
    tg_libcrypto_inside = &own;
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
}

bool tg_inject_serves(bool linked)
{
    enum { UNSETTLED, THIS, LINKED };
    static _Atomic int serving;
    int settled = UNSETTLED;

    if (atomic_compare_exchange_strong(&serving, &settled, linked ? LINKED : THIS))
        return !linked;
    return settled == THIS;
}

void tg_inject_inside(char *out, size_t size)
{
    (void)snprintf(out, size, "%s (%s)", OpenSSL_version(OPENSSL_VERSION),
                   OpenSSL_version(OPENSSL_BUILT_ON));
}
