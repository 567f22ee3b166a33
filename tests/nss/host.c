/*
 * host.c - host MODULE PKI PORT WORD...: a program that links no NSS. MODULE, a client, is loaded
 * locally; `-` in its place: asks for the names that the preload has.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

extern void *SSL_ImportFD(void *model, void *fd) __attribute__((weak));
extern int NSS_NoDB_Init(const char *folder) __attribute__((weak));

int main(int argc, char **argv)
{
    void *module = NULL;
    int (*run)(int, char **) = NULL;
    int (*verify)(void *, const char *) = NULL;

    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "-") == 0) {
        *(void **)&verify = dlsym(RTLD_DEFAULT, "CERT_VerifyCertName");
        printf("weak %s, found %s, init %s", SSL_ImportFD != NULL ? "yes" : "no",
               verify != NULL ? "yes" : "no", NSS_NoDB_Init != NULL ? "yes" : "no");
        if (verify != NULL && SSL_ImportFD != NULL)
            printf(", calls %d %d", SSL_ImportFD(NULL, NULL) != NULL, verify(NULL, "name"));
        printf("\n");
        return 0;
    }
    module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) {
        printf("%s\n", dlerror());
        return 2;
    }
    *(void **)&run = dlsym(module, "client");
    return run != NULL ? run(argc - 1, argv + 1) : 2;
}
