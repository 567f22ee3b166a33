#include "libssl.h"
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#define MAX_OBJECTS 512

/* Where each function's name and its place in struct tg_libssl stand. */
static const struct {
    const char *name;
    size_t offset;
} functions[] = {
#define ROW(result, name, parameters) {#name, offsetof(struct tg_libssl, name)},
    TG_LIBSSL_FUNCTIONS(ROW)
#undef ROW
};

/* The object that ADDRESS lies in, without loading anything; the program itself has no name. */
static void *open_object(const void *address)
{
    struct link_map *map = NULL;
    Dl_info info;

    if (dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || map == NULL)
        return NULL;
    return dlopen(map->l_name[0] != '\0' ? map->l_name : NULL, RTLD_LAZY | RTLD_NOLOAD);
}

static const void *base_of(const void *address)
{
    Dl_info info;

    return address != NULL && dladdr(address, &info) != 0 ? info.dli_fbase : NULL;
}

const void *tg_libssl_object(const void *address)
{
    return base_of(address);
}

/* dlsym on an object also looks in what it depends on: only its own definitions are wanted. */
static void *own_symbol(void *object, const void *base, const char *name)
{
    void *symbol = dlsym(object, name);

    return base_of(symbol) == base ? symbol : NULL;
}

static bool fill(void *object, const void *base, struct tg_libssl *libssl, const char **missing)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        void *symbol = own_symbol(object, base, functions[i].name);

        if (symbol == NULL) {
            *missing = functions[i].name;
            return false;
        }
        memcpy((char *)libssl + functions[i].offset, &symbol, sizeof(symbol));
    }
    return true;
}

/* Certificates are shared with that libssl: it must work on the libcrypto that we call. */
static bool shares_libcrypto(void *object)
{
    return base_of(dlsym(object, "X509_verify_cert")) == base_of((void *)X509_verify_cert);
}

bool tg_libssl_at(const void *address, struct tg_libssl *libssl, const char **missing)
{
    void *object = open_object(address);
    bool found = false;

    *missing = NULL;
    if (object == NULL)
        return false;
    if (shares_libcrypto(object))
        found = fill(object, base_of(address), libssl, missing);
    dlclose(object);
    return found;
}

struct objects {
    const char *name[MAX_OBJECTS];
    size_t count;
};

static int list_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct objects *objects = arg;

    (void)size;
    if (objects->count < MAX_OBJECTS)
        objects->name[objects->count++] = info->dlpi_name;
    return 0;
}

bool tg_libssl_any(struct tg_libssl *libssl, const char **missing)
{
    struct objects objects = {.count = 0};
    bool found = false;

    *missing = NULL;
    /* dlopen inside the callback would wait for the lock that dl_iterate_phdr holds. */
    dl_iterate_phdr(list_object, &objects);
    for (size_t i = 0; !found && i < objects.count; i++) {
        const char *name = objects.name[i];
        void *object = dlopen(name[0] != '\0' ? name : NULL, RTLD_LAZY | RTLD_NOLOAD);
        void *entry = object != NULL ? dlsym(object, "SSL_CTX_set_cert_verify_callback") : NULL;

        if (entry != NULL)
            found = tg_libssl_at(entry, libssl, missing);
        if (object != NULL)
            dlclose(object);
    }
    return found;
}
