#include "object.h"
#include "loaded.h"
#include <dlfcn.h>
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

void *tg_object_open(const void *address)
{
    const struct link_map *map = tg_elf_map(address);

    if (map == NULL)
        return NULL;
    return dlopen(tg_libc_is_program(map) ? NULL : map->l_name, RTLD_LAZY | RTLD_NOLOAD);
}

const void *tg_object_identity(const void *address)
{
    return address != NULL ? tg_elf_map(address) : NULL;
}

bool tg_object_is_program(const void *identity)
{
    return tg_libc_is_program((const struct link_map *)identity);
}

/* An object that is read; what it has no hash table for, the linker is asked. */
struct view {
    void *object;
    const void *identity;
    struct tg_elf elf;
    bool hashed;
    const struct tg_symtab *symtab; /* what it doesn't export; NULL: that isn't looked for */
    tg_has_function *has;           /* of a program that isn't running, which is asked alone */
    const void *from;
};

static void look_into(struct view *view, void *object, const void *identity)
{
    const struct link_map *map = identity;

    *view = (struct view){.object = object, .identity = identity};
    view->hashed = map != NULL && tg_elf_open(&view->elf, map->l_addr, map->l_ld);
    view->symtab = tg_object_hidden(identity);
}

const struct tg_symtab *tg_object_hidden(const void *identity)
{
    const struct link_map *map = identity;
    struct tg_elf elf;

    if (map == NULL || !tg_libc_is_program(map))
        return NULL;
    if (tg_elf_open(&elf, map->l_addr, map->l_ld) &&
        tg_elf_definition(&elf, "CRYPTO_get_ex_new_index") != NULL &&
        tg_elf_definition(&elf, "OpenSSL_version_num") != NULL)
        return NULL; /* it exports all */
    return tg_symtab_program(NULL);
}

/* dlsym on an object also looks in what it depends on. */
static void *own(const struct view *view, const char *name)
{
    void *symbol = view->hashed ? tg_elf_definition(&view->elf, name) : NULL;

    if (view->has != NULL)
        return view->has(view->from, name) ? (void *)view : NULL;
    if (symbol == NULL && view->object != NULL) {
        symbol = dlsym(view->object, name);
        symbol = tg_object_identity(symbol) == view->identity ? symbol : NULL;
    }
    if (symbol == NULL && view->symtab != NULL)
        symbol = tg_symtab_find(view->symtab, name);
    return symbol;
}

void *tg_object_own(void *object, const void *identity, const char *name)
{
    struct view view;

    look_into(&view, object, identity);
    return own(&view, name);
}

void *tg_object_find(void *object, const void *identity, const char *name)
{
    void *symbol = tg_object_own(object, identity, name);

    return symbol != NULL ? symbol : dlsym(object, name);
}

static void *find(const struct view *view, const char *name)
{
    void *symbol = own(view, name);

    for (size_t i = 0; symbol == NULL && i < sizeof(renamed) / sizeof(renamed[0]); i++)
        if (strcmp(renamed[i].name, name) == 0)
            symbol = own(view, renamed[i].other);
    return symbol;
}

/* TABLE may be NULL. Returns the first that isn't there. */
static const char *fill(const struct view *view, int kind, const struct tg_function *functions,
                        size_t count, void *table)
{
    for (size_t i = 0; i < count; i++) {
        void *symbol = NULL;

        if (!(functions[i].kinds & kind))
            continue;
        symbol = find(view, functions[i].name);
        if (symbol == NULL && !(functions[i].kinds & TG_KIND_OPTIONAL))
            return functions[i].name;
        if (table != NULL)
            memcpy((char *)table + functions[i].offset, &symbol, sizeof(symbol));
    }
    return NULL;
}

bool tg_object_fill(void *object, const void *identity, int kind,
                    const struct tg_function *functions, size_t count, void *table,
                    const char **missing)
{
    struct view view;
    const char *lacking = NULL;

    look_into(&view, object, identity);
    lacking = fill(&view, kind, functions, count, table);
    if (lacking != NULL)
        *missing = lacking;
    return lacking == NULL;
}

const char *tg_object_lacks(tg_has_function *has, const void *from, int kind,
                            const struct tg_function *functions, size_t count)
{
    return fill(&(struct view){.has = has, .from = from}, kind, functions, count, NULL);
}
