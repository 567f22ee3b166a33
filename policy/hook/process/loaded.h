/*
 * loaded.h - what a loaded object's dynamic section says about one symbol, without the linker,
 * whose own look-ups go through all that the process has loaded.
 */
#ifndef TG_LOADED_H
#define TG_LOADED_H

#include "libc.h"
#include "trustgraft.h"
#include <link.h>
#include <stdbool.h>
#include <stdint.h>

/* A table of relocations, Rel or Rela. */
struct tg_elf_relocations {
    const char *start;
    size_t size, entry;
};

/* A view of a loaded object; borrows its memory. */
struct tg_elf {
    ElfW(Addr) base;
    const ElfW(Sym) *symbols;
    const char *strings;
    const uint32_t *hash;       /* DT_GNU_HASH */
    const uint16_t *versions;   /* DT_VERSYM; NULL: none */
    const ElfW(Verneed) *needs; /* DT_VERNEED; NULL: none */
    size_t needs_count;
    struct tg_elf_relocations jumps, others;
};

/*
 * The object that ADDRESS lies in, or NULL. Takes no lock, but where glibc is older than 2.35.
 */
struct link_map *tg_elf_map(const void *address);

/* False if the object has no symbols or no DT_GNU_HASH: it then counts as having none. */
TG_MUST_USE bool tg_elf_open(struct tg_elf *elf, ElfW(Addr) base, const ElfW(Dyn) *dynamic);

/*
 * A handle of the loaded library whose DT_SONAME is NAME, as dlopen(3) gives it, or NULL.
 * RTLD_NOLOAD alone goes through all folders of libraries for a file of that name.
 */
void *tg_elf_loaded(const char *name);

/* The dynamic section among the program headers of a loaded object, or NULL. */
const ElfW(Dyn) *tg_elf_dynamic(ElfW(Addr) base, const ElfW(Phdr) *headers, size_t count);

/* The address of the function NAME as this object itself defines it for who links to it now, or
 * NULL. */
void *tg_elf_definition(const struct tg_elf *elf, const char *name);

/*
 * The version this object asks for where it imports NAME ("OPENSSL_3.0.0"); NULL if it
 * imports no such symbol, or any version of it will do.
 */
const char *tg_elf_import_version(const struct tg_elf *elf, const char *name);

#endif
