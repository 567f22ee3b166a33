#include "object.h"
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <string.h>

/* BoringSSL has some functions under names that OpenSSL has given up, by its version. */
static const struct {
    const char *name, *other;
} renamed[] = {
    {"OPENSSL_sk_num", "sk_num"},
    {"OPENSSL_sk_value", "sk_value"},
    {"OPENSSL_sk_new_null", "sk_new_null"},
    {"OPENSSL_sk_push", "sk_push"},
    {"OPENSSL_sk_free", "sk_free"},
    {"X509_STORE_CTX_get1_certs", "X509_STORE_get1_certs"},
    {"X509_STORE_CTX_get1_crls", "X509_STORE_get1_crls"},
    {"X509_STORE_CTX_set0_trusted_stack", "X509_STORE_CTX_trusted_stack"},
};

#if __GLIBC_PREREQ(2, 35)
/* Looked up rather than linked: what is built here shall run on glibc 2.34 as well. */
static __typeof__(&_dl_find_object) finder;

static void find_finder(void)
{
    finder = (__typeof__(&_dl_find_object))dlsym(RTLD_DEFAULT, "_dl_find_object");
}
#endif

/*
 * The object that ADDRESS lies in, or NULL. dladdr(3) reads the object's whole symbol table for a
 * name that nobody asks for: with the hundreds of functions that are looked up, that was most of
 * what trustgraft cost a short program.
 */
static struct link_map *object_of(const void *address)
{
    struct link_map *map = NULL;
    Dl_info info;
#if __GLIBC_PREREQ(2, 35)
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct dl_find_object found;

    (void)pthread_once(&once, find_finder);
    if (finder != NULL)
        return finder((void *)address, &found) == 0 ? found.dlfo_link_map : NULL;
#endif
    return dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) != 0 ? map : NULL;
}

/* The program itself has no name. */
void *tg_object_open(const void *address)
{
    const struct link_map *map = object_of(address);

    if (map == NULL)
        return NULL;
    return dlopen(map->l_name[0] != '\0' ? map->l_name : NULL, RTLD_LAZY | RTLD_NOLOAD);
}

const void *tg_object_identity(const void *address)
{
    return address != NULL ? object_of(address) : NULL;
}

/* dlsym on an object also looks in what it depends on. */
void *tg_object_own(void *object, const void *identity, const char *name)
{
    void *symbol = dlsym(object, name);

    return tg_object_identity(symbol) == identity ? symbol : NULL;
}

static void *find(void *object, const void *identity, const char *name)
{
    void *symbol = tg_object_own(object, identity, name);

    for (size_t i = 0; symbol == NULL && i < sizeof(renamed) / sizeof(renamed[0]); i++)
        if (strcmp(renamed[i].name, name) == 0)
            symbol = tg_object_own(object, identity, renamed[i].other);
    return symbol;
}

bool tg_object_fill(void *object, const void *identity, int kind,
                    const struct tg_function *functions, size_t count, void *table,
                    const char **missing)
{
    for (size_t i = 0; i < count; i++) {
        void *symbol = NULL;

        if (!(functions[i].kinds & kind))
            continue;
        symbol = find(object, identity, functions[i].name);
        if (symbol == NULL && !(functions[i].kinds & TG_KIND_OPTIONAL)) {
            *missing = functions[i].name;
            return false;
        }
        memcpy((char *)table + functions[i].offset, &symbol, sizeof(symbol));
    }
    return true;
}
