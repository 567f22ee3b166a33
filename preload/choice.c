#include "choice.h"
#include "inject.h"
#include "libc.h"
#include "loaded.h"
#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef unsigned long version_function(void);

/* OpenSSL's in the global scope, to which an engine that is loaded is bound; 0: none there. */
static unsigned long global_version(void)
{
    version_function *version = (version_function *)dlsym(RTLD_DEFAULT, "OpenSSL_version_num");

    return version != NULL ? version() : 0;
}

static bool is_version_3(unsigned long version)
{
    return version >> 28 == TG_VERSION_3_0 >> 28;
}

/* The program has a libcrypto inside and exports a part of it: what the libraries need that it was
 * linked with. */
static bool is_part(version_function *version)
{
    const struct link_map *map = tg_elf_map((const void *)version);
    void *common = dlsym(RTLD_DEFAULT, "X509_new"), *rare = dlsym(RTLD_DEFAULT, TG_INJECT_RARE);

    return rare == NULL || tg_elf_map(rare) != map || tg_elf_map(common) != map;
}

/* The global scope holds another libcrypto's functions of the same names: BoringSSL, OpenSSL 1.1,
 * OpenSSL 4, or a part of those that the program has inside. */
static bool is_foreign(void)
{
    version_function *version = (version_function *)dlsym(RTLD_DEFAULT, "OpenSSL_version_num");

    return version != NULL ? !is_version_3(version()) || is_part(version)
                           : dlsym(RTLD_DEFAULT, "X509_new") != NULL;
}

/*
 * An OpenSSL 3 beside a foreign libcrypto may be bound to that one's functions, and what it is
 * bound to otherwise (linked_mode) includes libc's own malloc, whichever the process has. A
 * program with an OpenSSL 3 inside, as Node.js, may run where the system has none: else the library
 * will be loaded anyway, with the engine that is linked to it.
 */
static bool wants_linked(void)
{
    if (!TG_HAS_INSIDE)
        return true;
    if (tg_elf_loaded("libcrypto.so.3") != NULL)
        return !is_foreign();
    return is_version_3(global_version()) && !is_foreign() &&
           dlopen("libcrypto.so.3", RTLD_LAZY | RTLD_LOCAL) != NULL;
}

/* The engine that is linked to OpenSSL 3 must see its own functions first. */
static int linked_mode(void)
{
    return is_foreign() ? RTLD_DEEPBIND : 0;
}

/*
 * Opens NAME in the folder of this library. $ORIGIN, the linker's own word for that folder,
 * is meant for a relative LD_PRELOAD, where the process may have changed its directory since; it
 * names the folder of whoever calls dlopen, which is another where dlopen is wrapped (the
 * sanitizers do).
 */
static void *open_beside(const char *name, int mode)
{
    static const char here;
    char path[PATH_MAX];
    const char *slash = NULL;
    Dl_info info;

    (void)snprintf(path, sizeof(path), "$ORIGIN/%s", name);
    if (dladdr(&here, &info) != 0 && info.dli_fname[0] == '/')
        slash = strrchr(info.dli_fname, '/');
    if (slash != NULL && slash - info.dli_fname < (ptrdiff_t)(sizeof(path) - strlen(name) - 1))
        (void)snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - info.dli_fname), info.dli_fname,
                       name);
    return dlopen(path, RTLD_NOW | RTLD_LOCAL | mode);
}

/* INSIDE is loaded. The provider may load the other at any moment, and asks it as well then. */
static void *settle(void *inside)
{
    __typeof__(&tg_inject_serves) serves =
        (__typeof__(&tg_inject_serves))dlsym(inside, "tg_inject_serves");

    if (serves == NULL || serves(tg_elf_loaded(TG_ENGINE_LINKED) != NULL))
        return inside; /* its caller finds what else it lacks */
    return tg_elf_loaded(TG_ENGINE_LINKED);
}

void *tg_choice_open(void)
{
    /* In this order: one that comes after we have looked for it sees that the other is there. */
    void *linked = tg_elf_loaded(TG_ENGINE_LINKED), *inside = tg_elf_loaded(TG_ENGINE_INSIDE);

    if (linked == NULL && inside == NULL) {
        if (!wants_linked())
            inside = open_beside(TG_ENGINE_INSIDE, 0);
        else if ((linked = open_beside(TG_ENGINE_LINKED, linked_mode())) != NULL)
            inside = tg_elf_loaded(TG_ENGINE_INSIDE);
    }
    return inside != NULL ? settle(inside) : linked;
}
