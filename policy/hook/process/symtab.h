/*
 * symtab.h - functions that an executable has inside and doesn't export: where its .symtab says
 * they are, which isn't mapped and is read from the file.
 *
 * The build-id proves that the file is the one that runs. It proves no ABI: with link-time
 * optimization a compiler may change how a function is called, but only of clones that are local
 * symbols (.constprop, .part, .isra), while a global one is callable as its header says. So only
 * global functions are taken, and what the link dropped or made local is missing.
 */
#ifndef TG_SYMTAB_H
#define TG_SYMTAB_H

#include "symtab_file.h"

/* By name; to be filled by tg_symtab_read. */
struct tg_symtab {
    ElfW(Addr) base; /* added to each address (PIE) */
    struct tg_symtab_function {
        size_t name; /* in NAMES; 0: an empty slot */
        ElfW(Addr) value;
    } * slots;
    size_t slot_count; /* a power of two */
    char *names;
};

/*
 * Reads the executable file FD, which is what is MAPPED, or any if that is NULL. Every offset in it
 * is checked: the file is trusted with nothing but its content. Whatever it returns, free SYMTAB.
 */
TG_MUST_USE enum tg_symtab_state tg_symtab_read(int fd, const struct tg_symtab_mapped *mapped,
                                                struct tg_symtab *symtab);
void tg_symtab_free(struct tg_symtab *symtab);

/* The address of the function NAME; NULL: there is none, or more than one. */
void *tg_symtab_find(const struct tg_symtab *symtab, const char *name);

/* Whether FROM has the function NAME; and that where it is a struct tg_symtab. */
typedef bool tg_has_function(const void *from, const char *name);
bool tg_symtab_has(const void *symtab, const char *name);

#endif
