/*
 * symtab_file.h - whether the .symtab of an executable's file can tell of an OpenSSL inside (see
 * symtab.h): as little as each large program has to pay, for the preload library, which has it too.
 */
#ifndef TG_SYMTAB_FILE_H
#define TG_SYMTAB_FILE_H

#include "trustgraft.h"
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tg_symtab_state {
    TG_SYMTAB_READ,
    TG_SYMTAB_STRIPPED,   /* there is no .symtab */
    TG_SYMTAB_WITHOUT,    /* no OpenSSL, nor a relative of it, is in it */
    TG_SYMTAB_LOCAL,      /* its functions are local ones */
    TG_SYMTAB_NO_ID,      /* the file, or what is mapped, has no build-id */
    TG_SYMTAB_REPLACED,   /* the file has another build-id than what is mapped */
    TG_SYMTAB_DAMAGED,    /* an ELF file that contradicts its size or itself */
    TG_SYMTAB_UNREADABLE, /* errno tells */
    TG_SYMTAB_NO_MEMORY
};

/* The program headers of an executable as it is mapped at BASE. */
struct tg_symtab_mapped {
    ElfW(Addr) base;
    const ElfW(Phdr) *segments;
    size_t count;
};

#define TG_SYMTAB_SEGMENTS 128

struct tg_symtab_file {
    int fd; /* borrowed */
    uint64_t size;
    ElfW(Ehdr) header;
    ElfW(Phdr) segments[TG_SYMTAB_SEGMENTS];
    ElfW(Shdr) symbols, strings; /* both within the file */
};

/* True of an executable with that much code in one segment that an OpenSSL may be inside. */
bool tg_symtab_is_worth(const ElfW(Phdr) *segments, size_t count);

/*
 * Reads the headers of the executable file FD, which is what is MAPPED, or any if that is NULL.
 * Every offset in it is checked: the file is trusted with nothing but its content.
 */
TG_MUST_USE enum tg_symtab_state tg_symtab_file_open(int fd, const struct tg_symtab_mapped *mapped,
                                                     struct tg_symtab_file *file);

/* Of what was opened with TG_SYMTAB_READ: that, or TG_SYMTAB_WITHOUT, as no name of its symbols is
 * of OpenSSL's. */
TG_MUST_USE enum tg_symtab_state tg_symtab_file_search(const struct tg_symtab_file *file);

/* Reads SIZE bytes at OFFSET. False if they aren't all in the file. */
TG_MUST_USE bool tg_symtab_file_at(const struct tg_symtab_file *file, uint64_t offset, void *out,
                                   uint64_t size);

/* True if a loaded one of SEGMENTS with all of FLAGS has the SIZE bytes at ADDRESS. */
bool tg_symtab_is_loaded(const ElfW(Phdr) *segments, size_t count, ElfW(Word) flags,
                         ElfW(Addr) address, uint64_t size);

/* One of these functions is in every program with an OpenSSL inside. */
enum { TG_SYMTAB_MARKS = 2 };
extern const char *const tg_symtab_marks[TG_SYMTAB_MARKS];

#endif
