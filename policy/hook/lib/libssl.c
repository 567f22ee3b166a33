#include "libssl.h"
#include <dlfcn.h>
#include <link.h>

#define MAX_OBJECTS 512

static const struct tg_function functions[] = {
#define ROW(kinds, result, name, parameters) {kinds, #name, offsetof(struct tg_libssl, name)},
    TG_LIBSSL_FUNCTIONS(ROW)
#undef ROW
};

/* 0, with *MISSING what tells, where it is neither. */
static int kind_of(void *object, const void *base, const char **missing)
{
    unsigned long (*version)(void) = NULL;

    if (tg_object_own(object, base, "SSL_CTX_set_custom_verify") != NULL)
        return TG_KIND_BORINGSSL;
    *missing = "OpenSSL_version_num";
    version = dlsym(object, *missing);
    if (version == NULL)
        return 0;
    return version() < 0x30000000UL ? TG_KIND_OPENSSL_1 : TG_KIND_OPENSSL_3;
}

bool tg_libssl_at(const void *address, struct tg_libssl *libssl, enum tg_kind *kind,
                  const void **libcrypto, const char **missing)
{
    void *object = tg_object_open(address);
    const void *base = tg_object_base(address);
    int found = 0;

    *missing = NULL;
    if (object == NULL)
        return false;
    *libcrypto = dlsym(object, "X509_verify_cert");
    found = kind_of(object, base, missing);
    if (found != 0 && !tg_object_fill(object, base, found, functions,
                                      sizeof(functions) / sizeof(functions[0]), libssl, missing))
        found = 0;
    dlclose(object);
    *kind = (enum tg_kind)found;
    return found != 0 && *libcrypto != NULL;
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

const void *tg_libssl_any(void)
{
    struct objects objects = {.count = 0};
    const void *ours = tg_object_base((void *)X509_verify_cert), *found = NULL;

    /* dlopen inside the callback would wait for the lock that dl_iterate_phdr holds. */
    dl_iterate_phdr(list_object, &objects);
    for (size_t i = 0; found == NULL && i < objects.count; i++) {
        const char *name = objects.name[i];
        void *object = dlopen(name[0] != '\0' ? name : NULL, RTLD_LAZY | RTLD_NOLOAD);

        if (object == NULL)
            continue;
        if (tg_object_base(dlsym(object, "X509_verify_cert")) == ours)
            found = dlsym(object, "SSL_CTX_get_ex_data"); /* which the preload library hasn't */
        dlclose(object);
    }
    return found;
}
