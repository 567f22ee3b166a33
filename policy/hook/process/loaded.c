/* loaded.c - DT_GNU_HASH lookups and the version of an import (gABI; glibc's elf/dl-lookup.c). */
#include "loaded.h"
#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

/* dlfcn.h's struct dl_find_object, of glibc 2.35 and later, with room for what is behind. */
struct found_object {
    unsigned long long flags;
    void *start, *end;
    struct link_map *map;
    void *rest[12];
};
typedef int find_object_function(void *address, struct found_object *object);

/* _dl_find_object; looked up, so that older C libraries do as well. NULL: theirs has none. */
static find_object_function *find_object(void)
{
    static _Atomic uintptr_t found;
    const uintptr_t none = 1;
    uintptr_t function = atomic_load_explicit(&found, memory_order_acquire);

    if (function == 0) {
        function = (uintptr_t)dlsym(RTLD_DEFAULT, "_dl_find_object");
        function = function != 0 ? function : none;
        atomic_store_explicit(&found, function, memory_order_release);
    }
    if (function == none)
        return NULL;
    return (find_object_function *)function; // NOLINT(performance-no-int-to-ptr)
}

/*
 * dladdr(3) reads the object's whole symbol table for a name that nobody asks for: it was most of
 * what trustgraft cost a short program.
 */
struct link_map *tg_elf_map(const void *address)
{
    struct link_map *map = NULL;
    Dl_info info;
    find_object_function *find = find_object();
    struct found_object object;

    if (find != NULL)
        return find((void *)address, &object) == 0 ? object.map : NULL;
    return dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) ? map : NULL;
}

/* glibc relocates these pointers in place, except where the section is read-only (the vDSO). */
static const void *pointer(ElfW(Addr) base, ElfW(Addr) value)
{
    return (const void *)(value < base ? base + value : value); // NOLINT(performance-no-int-to-ptr)
}

/* Enters one row of the dynamic section. */
static void note(struct tg_elf *elf, const ElfW(Dyn) *row)
{
    const void *at = pointer(elf->base, row->d_un.d_ptr);

    switch (row->d_tag) {
    case DT_SYMTAB:
        elf->symbols = at;
        break;
    case DT_STRTAB:
        elf->strings = at;
        break;
    case DT_GNU_HASH:
        elf->hash = at;
        break;
    case DT_VERSYM:
        elf->versions = at;
        break;
    case DT_VERNEED:
        elf->needs = at;
        break;
    case DT_VERNEEDNUM:
        elf->needs_count = row->d_un.d_val;
        break;
    case DT_JMPREL:
        elf->jumps.start = at;
        break;
    case DT_PLTRELSZ:
        elf->jumps.size = row->d_un.d_val;
        break;
    case DT_PLTREL:
        elf->jumps.entry = row->d_un.d_val == DT_RELA ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel));
        break;
    case DT_RELA:
    case DT_REL:
        elf->others.start = at;
        elf->others.entry = row->d_tag == DT_RELA ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel));
        break;
    case DT_RELASZ:
    case DT_RELSZ:
        elf->others.size = row->d_un.d_val;
        break;
    default:
        break;
    }
}

bool tg_elf_open(struct tg_elf *elf, ElfW(Addr) base, const ElfW(Dyn) *dynamic)
{
    memset(elf, 0, sizeof(*elf));
    elf->base = base;
    for (; dynamic != NULL && dynamic->d_tag != DT_NULL; dynamic++)
        note(elf, dynamic);
    return elf->symbols != NULL && elf->strings != NULL && elf->hash != NULL;
}

const ElfW(Dyn) *tg_elf_dynamic(ElfW(Addr) base, const ElfW(Phdr) *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (headers[i].p_type == PT_DYNAMIC)
            return (const ElfW(Dyn) *)(base +
                                       headers[i].p_vaddr); // NOLINT(performance-no-int-to-ptr)
    }
    return NULL;
}

/* A library that is searched for, and the path that the loader has for it. */
struct library {
    const char *name, *path;
};

/* Many objects are asked, so no more is read of each than this takes. */
static int has_soname(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct library *library = arg;
    const ElfW(Dyn) *row = tg_elf_dynamic(info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum);
    const char *strings = NULL;
    size_t soname = 0;

    (void)size;
    for (; row != NULL && row->d_tag != DT_NULL; row++)
        if (row->d_tag == DT_STRTAB)
            strings = pointer(info->dlpi_addr, row->d_un.d_ptr);
        else if (row->d_tag == DT_SONAME)
            soname = row->d_un.d_val;
    library->path = info->dlpi_name;
    return strings != NULL && soname != 0 && strcmp(strings + soname, library->name) == 0;
}

void *tg_elf_loaded(const char *name)
{
    struct library library = {.name = name};

    if (dl_iterate_phdr(has_soname, &library) == 0)
        return NULL;
    return dlopen(tg_libc_known_as(library.name, library.path), RTLD_NOLOAD | RTLD_NOW);
}

/* In the version of a symbol: programs that are linked now get another of its name, or none. */
#define HIDDEN 0x8000

static uint32_t hash_name(const char *name)
{
    uint32_t hash = 5381;

    for (; *name != '\0'; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

static bool named(const struct tg_elf *elf, size_t index, const char *name)
{
    const char *found = elf->strings + elf->symbols[index].st_name;

    return found[0] == name[0] && strcmp(found, name) == 0;
}

static bool defines(const struct tg_elf *elf, size_t index, const char *name)
{
    return named(elf, index, name) && (elf->versions == NULL || !(elf->versions[index] & HIDDEN));
}

/* The symbol NAME in the hash table, which holds what the object defines; 0: it doesn't. */
static uint32_t find_hashed(const struct tg_elf *elf, const char *name)
{
    uint32_t buckets = elf->hash[0], first = elf->hash[1], blooms = elf->hash[2];
    uint32_t shift = elf->hash[3], hash = hash_name(name);
    const unsigned bits = sizeof(ElfW(Addr)) * 8;
    const ElfW(Addr) *bloom = (const ElfW(Addr) *)(elf->hash + 4);
    const uint32_t *bucket = (const uint32_t *)(bloom + blooms);
    const uint32_t *chain = bucket + buckets;

    if (buckets == 0 || blooms == 0)
        return 0;
    ElfW(Addr) word = bloom[(hash / bits) % blooms];
    if (!(word >> (hash % bits) & word >> ((hash >> shift) % bits) & 1))
        return 0;
    uint32_t index = bucket[hash % buckets];
    if (index < first)
        return 0;
    for (;; index++) {
        uint32_t seen = chain[index - first];
        if ((seen | 1) == (hash | 1) && defines(elf, index, name))
            return index;
        if (seen & 1) /* the end of this bucket's chain */
            return 0;
    }
}

void *tg_elf_definition(const struct tg_elf *elf, const char *name)
{
    const ElfW(Sym) *symbol = &elf->symbols[find_hashed(elf, name)];

    if (symbol == elf->symbols || symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS ||
        ELF64_ST_TYPE(symbol->st_info) != STT_FUNC)
        return NULL;
    return (void *)(elf->base + symbol->st_value); // NOLINT(performance-no-int-to-ptr)
}

/* The name of version number NUMBER among those that the object asks others for. */
static const char *need(const struct tg_elf *elf, uint16_t number)
{
    const ElfW(Verneed) *file = elf->needs;

    for (size_t i = 0; i < elf->needs_count; i++) {
        const ElfW(Vernaux) *version = (const void *)((const char *)file + file->vn_aux);
        for (unsigned j = 0; j < file->vn_cnt; j++) {
            if (version->vna_other == number)
                return elf->strings + version->vna_name;
            version = (const void *)((const char *)version + version->vna_next);
        }
        file = (const void *)((const char *)file + file->vn_next);
    }
    return NULL;
}

/*
 * The undefined symbol NAME that a relocation in TABLE refers to; 0: none. The hash table
 * doesn't hold imports, and nothing says how many symbols there are.
 */
static size_t find_import(const struct tg_elf *elf, const struct tg_elf_relocations *table,
                          const char *name)
{
    if (table->start == NULL || table->entry == 0)
        return 0;
    for (size_t at = 0; at + table->entry <= table->size; at += table->entry) {
        const ElfW(Rel) *relocation = (const void *)(table->start + at); /* Rela begins alike */
        size_t symbol = relocation->r_info >> (sizeof(ElfW(Addr)) == 8 ? 32 : 8);
        if (symbol != 0 && elf->symbols[symbol].st_shndx == SHN_UNDEF && named(elf, symbol, name))
            return symbol;
    }
    return 0;
}

const char *tg_elf_import_version(const struct tg_elf *elf, const char *name)
{
    size_t symbol = find_import(elf, &elf->jumps, name);

    if (symbol == 0)
        symbol = find_import(elf, &elf->others, name);
    if (symbol == 0 || elf->versions == NULL || elf->needs == NULL)
        return NULL;
    uint16_t number = elf->versions[symbol] & (uint16_t)~HIDDEN;
    return number > VER_NDX_GLOBAL ? need(elf, number) : NULL;
}
