#include "bound.h"
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What the dynamic section of this library points at. */
struct tables {
    const char *strings;
    const ElfW(Sym) *symbols;
    const ElfW(Half) *versions;
    const ElfW(Verneed) *needed;
    const ElfW(Rela) *relocations[2]; /* DT_RELA, DT_JMPREL */
    size_t relocation_bytes[2];
};

/* The loader has made addresses of most offsets in the dynamic section, but not of all. */
static const void *address_of(const struct link_map *map, const ElfW(Dyn) *entry)
{
    ElfW(Addr) value = entry->d_un.d_ptr;

    return (const void *)(value < map->l_addr ? map->l_addr + value : value);
}

static void read_dynamic(const struct link_map *map, struct tables *tables)
{
    const ElfW(Dyn) *entry = map->l_ld;

    for (; entry->d_tag != DT_NULL; entry++) {
        const void *at = address_of(map, entry);

        switch (entry->d_tag) {
        case DT_STRTAB:
            tables->strings = at;
            break;
        case DT_SYMTAB:
            tables->symbols = at;
            break;
        case DT_VERSYM:
            tables->versions = at;
            break;
        case DT_VERNEED:
            tables->needed = at;
            break;
        case DT_RELA:
            tables->relocations[0] = at;
            break;
        case DT_RELASZ:
            tables->relocation_bytes[0] = entry->d_un.d_val;
            break;
        case DT_JMPREL:
            tables->relocations[1] = at;
            break;
        case DT_PLTRELSZ:
            tables->relocation_bytes[1] = entry->d_un.d_val;
            break;
        default:
            break;
        }
    }
}

/* True if version INDEX of our imports is one that we need from libcrypto. */
static int from_libcrypto(const struct tables *tables, unsigned index)
{
    const ElfW(Verneed) *file = tables->needed;

    for (; file != NULL;
         file = file->vn_next != 0 ? (const void *)((const char *)file + file->vn_next) : NULL) {
        const ElfW(Vernaux) *version = (const void *)((const char *)file + file->vn_aux);

        for (unsigned i = 0; i < file->vn_cnt; i++) {
            if ((version->vna_other & 0x7fffU) == index)
                return strncmp(tables->strings + file->vn_file, "libcrypto.", 10) == 0;
            version = (const void *)((const char *)version + version->vna_next);
        }
    }
    return 0;
}

/* The object that `wanted` lies in, from its first loaded byte to behind its last. */
struct range {
    ElfW(Addr) wanted, start, end;
};

static int find_range(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct range *range = arg;
    ElfW(Addr) start = UINTPTR_MAX, end = 0;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        ElfW(Addr) from = info->dlpi_addr + segment->p_vaddr, to = from + segment->p_memsz;

        if (segment->p_type != PT_LOAD)
            continue;
        start = from < start ? from : start;
        end = to > end ? to : end;
    }
    if (range->wanted < start || range->wanted >= end)
        return 0;
    range->start = start;
    range->end = end;
    return 1;
}

static bool is_in(const struct range *range, ElfW(Addr) address)
{
    return address >= range->start && address < range->end;
}

/* The preload library stands in for some of them, and says what it calls in the end. */
static bool leads_to(const struct range *range, ElfW(Addr) bound, const char *name)
{
    void *(*real)(const char *, const void *) = NULL;

    if (is_in(range, bound))
        return true;
    real = (void *(*)(const char *, const void *))dlsym(RTLD_DEFAULT, "tg_preload_real");
    return real != NULL && is_in(range, (ElfW(Addr))real(name, (const void *)tg_bound_astray));
}

/* The name of the first import of TABLE from libcrypto that lies outside of RANGE. */
static const char *find_stray(const struct tables *tables, int table, ElfW(Addr) base,
                              const struct range *range)
{
    size_t count = tables->relocation_bytes[table] / sizeof(ElfW(Rela));

    for (size_t i = 0; i < count; i++) {
        const ElfW(Rela) *relocation = &tables->relocations[table][i];
        size_t symbol = ELF64_R_SYM(relocation->r_info);
        ElfW(Addr) bound = *(const ElfW(Addr) *)(base + relocation->r_offset);
        const char *name = tables->strings + tables->symbols[symbol].st_name;

        if (symbol != 0 && from_libcrypto(tables, tables->versions[symbol] & 0x7fffU) &&
            !leads_to(range, bound, name))
            return name;
    }
    return NULL;
}

const char *tg_bound_astray(void)
{
    struct range range = {.wanted = (ElfW(Addr))X509_verify_cert};
    struct link_map *map = NULL;
    struct tables tables = {.strings = NULL};
    const char *stray = NULL;
    Dl_info self;

    if (dladdr1((void *)tg_bound_astray, &self, (void **)&map, RTLD_DL_LINKMAP) == 0)
        return "(this library isn't found)";
    read_dynamic(map, &tables);
    if (tables.strings == NULL || tables.symbols == NULL || tables.versions == NULL)
        return NULL; /* linked into the program itself: nothing was bound at run time */
    dl_iterate_phdr(find_range, &range);
    stray = find_stray(&tables, 0, map->l_addr, &range);
    return stray != NULL ? stray : find_stray(&tables, 1, map->l_addr, &range);
}
