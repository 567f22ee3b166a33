/* foreign.c - what another library under OpenSSL's names shows to the whole process. */
#include <openssl/x509_vfy.h>

/* BoringSSL says so (its include/openssl/base.h). */
unsigned long OpenSSL_version_num(void)
{
    return 0x1010107f;
}

int X509_verify_cert(X509_STORE_CTX *store)
{
    (void)store;
    return 0;
}
