/* executable.h - what an executable's headers tell, read piece by piece and checked against its
 * size. */
#ifndef TG_EXECUTABLE_H
#define TG_EXECUTABLE_H

#include "trustgraft.h"
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct tg_executable {
    int fd; /* -1: closed */
    off_t size;
    ElfW(Ehdr) header;
    ElfW(Phdr) *segments;
    char interpreter[PATH_MAX];        /* the dynamic linker; "" if it has none */
    ElfW(Addr) strings, symbols, hash; /* of the dynamic section; 0: none */
    uint64_t strings_size;
    ElfW(Dyn) *dynamic;
    size_t dynamic_count;
};

enum tg_executable_state {
    TG_EXECUTABLE_READ,
    TG_EXECUTABLE_FOREIGN, /* for another architecture than this program's, or another word size */
    TG_EXECUTABLE_NONE,    /* no ELF file */
    TG_EXECUTABLE_DAMAGED, /* an ELF file that contradicts itself */
    TG_EXECUTABLE_UNREADABLE /* errno tells */
};

/* Reads PATH's headers. Whatever it returns, tg_executable_close FILE. */
enum tg_executable_state tg_executable_open(const char *path, struct tg_executable *file);
void tg_executable_close(struct tg_executable *file);

/* True if it defines the dynamic symbol NAME, for libraries to find. */
bool tg_executable_exports(const struct tg_executable *file, const char *name);

/* True if it needs a library (DT_NEEDED) whose name begins with PREFIX: "libssl.so". */
bool tg_executable_needs(const struct tg_executable *file, const char *prefix);

/* Writes string number INDEX among those of the dynamic section's TAG (DT_NEEDED, DT_RUNPATH...)
 * to OUT. False if there is none, or it is longer than SIZE - 1 bytes. */
TG_MUST_USE bool tg_executable_string(const struct tg_executable *file, ElfW(Sxword) tag,
                                      size_t index, char *out, size_t size);

/* True if it asks the dynamic linker for the function NAME. */
bool tg_executable_imports(const struct tg_executable *file, const char *name);

/* True if it carries a note of the Go linker. */
bool tg_executable_is_go(const struct tg_executable *file);

#endif
