/*
 * host.c - host MODULE PKI WORD...: a program that links no GnuTLS. MODULE, a client, is loaded
 * locally, closed, and loaded again; `-` in its place: asks for the names that the preload has.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

extern int gnutls_init(void *session, unsigned flags) __attribute__((weak));
extern int gnutls_global_init(void) __attribute__((weak));

int main(int argc, char **argv)
{
    void *module = NULL, *session = &module;
    int (*run)(int, char **) = NULL;
    int (*found)(void *, unsigned) = NULL;

    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "-") == 0) {
        *(void **)&found = dlsym(RTLD_DEFAULT, "gnutls_init");
        printf("weak %s, found %s, global %s", gnutls_init != NULL ? "yes" : "no",
               found != NULL ? "yes" : "no", gnutls_global_init != NULL ? "yes" : "no");
        if (found != NULL && gnutls_init != NULL) {
            printf(", calls %d %d", found(&session, 2), gnutls_init(&session, 2));
            printf(", session %s", session == NULL ? "none" : "left");
        }
        printf("\n");
        return 0;
    }
    for (int i = 0; i < 2; i++) {
        if (module != NULL)
            dlclose(module);
        module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
        if (module == NULL) {
            printf("%s\n", dlerror());
            return 2;
        }
    }
    *(void **)&run = dlsym(module, "client");
    return run != NULL ? run(argc - 1, argv + 1) : 2;
}
