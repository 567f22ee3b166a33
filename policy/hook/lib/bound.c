#include "bound.h"
#include "loaded.h"
#include <dlfcn.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* True if version NUMBER of our imports is one that we need from libcrypto. */
static bool from_libcrypto(const struct tg_elf *elf, unsigned number)
{
    const ElfW(Verneed) *file = elf->needs;

    for (size_t i = 0; i < elf->needs_count; i++) {
        const ElfW(Vernaux) *version = (const void *)((const char *)file + file->vn_aux);

        for (unsigned j = 0; j < file->vn_cnt; j++) {
            if ((version->vna_other & 0x7fffU) == number)
                return strncmp(elf->strings + file->vn_file, "libcrypto.", 10) == 0;
            version = (const void *)((const char *)version + version->vna_next);
        }
        file = (const void *)((const char *)file + file->vn_next);
    }
    return false;
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

/* The preload library stands in for some functions, and says what it calls in the end. */
static bool leads_to(const struct range *range, const char *name)
{
    void *(*real)(const char *, const void *) =
        (void *(*)(const char *, const void *))dlsym(RTLD_DEFAULT, "tg_preload_real");

    return real != NULL && is_in(range, (ElfW(Addr))real(name, (const void *)tg_bound_astray));
}

/* The name of the first import in TABLE from libcrypto that lies outside of RANGE. */
static const char *find_stray(const struct tg_elf *elf, const struct tg_elf_relocations *table,
                              const struct range *range)
{
    unsigned last = 0; /* version, of which it is known whether it is libcrypto's */
    bool crypto = false;

    for (size_t at = 0; at < table->size; at += sizeof(ElfW(Rela))) {
        const ElfW(Rela) *relocation = (const void *)(table->start + at);
        size_t symbol = ELF64_R_SYM(relocation->r_info);
        ElfW(Addr) bound = *(const ElfW(Addr) *)(elf->base + relocation->r_offset);

        if (symbol == 0 || is_in(range, bound))
            continue;
        if (last != (elf->versions[symbol] & 0x7fffU)) {
            last = elf->versions[symbol] & 0x7fffU;
            crypto = from_libcrypto(elf, last);
        }
        if (crypto && !leads_to(range, elf->strings + elf->symbols[symbol].st_name))
            return elf->strings + elf->symbols[symbol].st_name;
    }
    return NULL;
}

const char *tg_bound_astray(void)
{
    struct range range = {.wanted = (ElfW(Addr))X509_verify_cert};
    const struct link_map *map = tg_elf_map((const void *)tg_bound_astray);
    struct tg_elf elf;
    const char *stray = NULL;

    if (map == NULL || !tg_elf_open(&elf, map->l_addr, map->l_ld))
        return "(this library can't be read)";
    if (elf.versions == NULL)
        return NULL; /* nothing was bound at run time */
    dl_iterate_phdr(find_range, &range);
    stray = find_stray(&elf, &elf.others, &range);
    return stray != NULL ? stray : find_stray(&elf, &elf.jumps, &range);
}
