#include "libssl.h"
#include <dlfcn.h>
#include <link.h>

#define MAX_OBJECTS 512

static const struct tg_function functions[] = {
#define ROW(kinds, result, name, parameters) {kinds, #name, offsetof(struct tg_libssl, name)},
    TG_LIBSSL_FUNCTIONS(ROW)
#undef ROW
};

bool tg_libssl_at(const void *address, struct tg_libssl *libssl, const struct tg_backend **backend,
                  const void **libcrypto, const char **missing)
{
    void *object = tg_object_open(address);
    const void *identity = tg_object_identity(address);
    bool filled = false;

    *missing = NULL;
    if (object == NULL)
        return false;
    *libcrypto = tg_object_find(object, identity, "X509_verify_cert");
    *backend = tg_backend_of(object, identity);
    if (*backend == NULL)
        *missing = "OpenSSL_version_num";
    else
        filled = tg_object_fill(object, identity, (*backend)->kind, functions,
                                sizeof(functions) / sizeof(functions[0]), libssl, missing);
    dlclose(object);
    return filled && *libcrypto != NULL;
}

const char *tg_libssl_lacks(tg_has_function *has, const void *from, enum tg_kind kind)
{
    return tg_object_lacks(has, from, (int)kind, functions,
                           sizeof(functions) / sizeof(functions[0]));
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

static bool works_on(void *object, const void *libcrypto)
{
    return object != NULL && tg_object_identity(dlsym(object, "X509_verify_cert")) == libcrypto;
}

/* OBJECT's libssl: where it has several among its dependencies, that needn't be one on LIBCRYPTO.
 */
static const void *find_in(void *object, const void *libcrypto)
{
    /* The preload library hasn't this one. */
    const void *found = works_on(object, libcrypto) ? dlsym(object, "SSL_CTX_get_ex_data") : NULL;
    void *libssl = found != NULL ? tg_object_open(found) : NULL;

    if (!works_on(libssl, libcrypto))
        found = NULL;
    if (libssl != NULL)
        dlclose(libssl);
    return found;
}

const void *tg_libssl_any(const void *libcrypto)
{
    struct objects objects = {.count = 0};
    const void *wanted = tg_object_identity(libcrypto), *found = NULL;
    const struct tg_symtab *hidden = tg_object_hidden(wanted);

    if (hidden != NULL)
        return tg_symtab_find(hidden, "SSL_CTX_get_ex_data");
    /* dlopen inside the callback would wait for the lock that dl_iterate_phdr holds. */
    dl_iterate_phdr(list_object, &objects);
    for (size_t i = 0; found == NULL && i < objects.count; i++) {
        const char *name = objects.name[i];
        void *object = name[0] != '\0' ? dlopen(name, RTLD_LAZY | RTLD_NOLOAD) : NULL;

        if (object == NULL && i == 0) /* the program, which has no name, or none to be found by */
            object = dlopen(NULL, RTLD_LAZY | RTLD_NOLOAD);
        if (object == NULL)
            continue;
        found = find_in(object, wanted);
        dlclose(object);
    }
    return found;
}
