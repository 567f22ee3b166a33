/* decoy.c - says in the global scope that the process's libcrypto is OpenSSL 1.1.1, so that the
 * engine that is linked to OpenSSL 3 is not for it. */
unsigned long OpenSSL_version_num(void);

unsigned long OpenSSL_version_num(void)
{
    return 0x1010100fUL;
}
