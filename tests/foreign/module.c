/* module.c - a module that brings an OpenSSL 3 into the process as it begins, for itself alone. */
#include <dlfcn.h>

__attribute__((constructor)) static void bring(void)
{
    (void)dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
}
