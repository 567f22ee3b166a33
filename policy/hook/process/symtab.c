#include "symtab.h"
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1024 };

/* What is read while the table is filled. */
struct reading {
    const struct tg_symtab_file *file;
    const ElfW(Phdr) *segments; /* as they are mapped, or the file's */
    size_t segment_count;
    char *text; /* of the strings, which end in a NUL */
    bool local; /* one of the marks isn't global */
    size_t count;
    size_t names_used, names_room;
};

static size_t hash_name(const char *name)
{
    size_t hash = 5381;

    for (; *name != '\0'; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash ^ hash >> 15;
}

/* The slot that NAME is in, or would be; there is always an empty one. */
static struct tg_symtab_function *slot_of(const struct tg_symtab *symtab, const char *name)
{
    size_t at = hash_name(name) & (symtab->slot_count - 1);

    while (symtab->slots[at].name != 0 && strcmp(symtab->names + symtab->slots[at].name, name) != 0)
        at = (at + 1) & (symtab->slot_count - 1);
    return &symtab->slots[at];
}

/* Names that begin with an underscore are C++'s, Rust's and the C library's. An IFUNC's symbol
 * (STT_GNU_IFUNC) is that of its resolver. */
static bool is_function(const struct reading *reading, const ElfW(Sym) *symbol)
{
    return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF &&
           symbol->st_shndx < SHN_LORESERVE && symbol->st_name != 0 &&
           symbol->st_name < reading->file->strings.sh_size &&
           reading->text[symbol->st_name] != '_' && reading->text[symbol->st_name] != '\0' &&
           tg_symtab_is_loaded(reading->segments, reading->segment_count, PF_X, symbol->st_value,
                               1);
}

/* Twice the slots, or the first: about as many as of a program that is OpenSSL for the most part.
 */
static bool grow_slots(struct tg_symtab *symtab)
{
    struct tg_symtab old = *symtab;

    symtab->slot_count = old.slot_count > 0 ? old.slot_count * 2 : 16384;
    symtab->slots = calloc(symtab->slot_count, sizeof(*symtab->slots));
    for (size_t i = 0; symtab->slots != NULL && i < old.slot_count; i++)
        if (old.slots[i].name != 0)
            *slot_of(symtab, old.names + old.slots[i].name) = old.slots[i];
    free(old.slots);
    symtab->slot_count = symtab->slots != NULL ? symtab->slot_count : 0;
    return symtab->slots != NULL;
}

static bool put_name(struct tg_symtab *symtab, struct reading *reading, const char *name,
                     size_t *at)
{
    size_t size = strlen(name) + 1;

    if (size > reading->names_room - reading->names_used) {
        size_t room = 2 * reading->names_room + size + 65536;
        char *grown = realloc(symtab->names, room);

        if (grown == NULL)
            return false;
        symtab->names = grown;
        reading->names_room = room;
        reading->names_used += reading->names_used == 0; /* no name is at 0 */
    }
    memcpy(symtab->names + reading->names_used, name, size);
    *at = reading->names_used;
    reading->names_used += size;
    return true;
}

static bool add(struct tg_symtab *symtab, struct reading *reading, const ElfW(Sym) *symbol)
{
    const char *name = reading->text + symbol->st_name;
    struct tg_symtab_function *slot = NULL;

    if (2 * reading->count >= symtab->slot_count && !grow_slots(symtab))
        return false;
    slot = slot_of(symtab, name);
    if (slot->name != 0) {
        slot->value =
            slot->value == symbol->st_value ? slot->value : 0; /* it can't be told which */
        return true;
    }
    slot->value = symbol->st_value;
    reading->count++;
    return put_name(symtab, reading, name, &slot->name);
}

static bool is_mark(const char *name)
{
    for (size_t i = 0; i < TG_SYMTAB_MARKS; i++)
        if (strcmp(name, tg_symtab_marks[i]) == 0)
            return true;
    return false;
}

/* False: there is no memory. */
static bool take(struct tg_symtab *symtab, struct reading *reading, const ElfW(Sym) *symbol)
{
    if (ELF64_ST_BIND(symbol->st_info) == STB_GLOBAL)
        return add(symtab, reading, symbol);
    reading->local |= is_mark(reading->text + symbol->st_name);
    return true;
}

static enum tg_symtab_state add_all(struct tg_symtab *symtab, struct reading *reading)
{
    ElfW(Sym) piece[PIECE];
    uint64_t left = reading->file->symbols.sh_size / sizeof(*piece),
             at = reading->file->symbols.sh_offset;

    while (left > 0) {
        size_t count = left < PIECE ? (size_t)left : PIECE;

        if (!tg_symtab_file_at(reading->file, at, piece, count * sizeof(*piece)))
            return TG_SYMTAB_DAMAGED;
        for (size_t i = 0; i < count; i++)
            if (is_function(reading, &piece[i]) && !take(symtab, reading, &piece[i]))
                return TG_SYMTAB_NO_MEMORY;
        left -= count;
        at += count * sizeof(*piece);
    }
    return TG_SYMTAB_READ;
}

static enum tg_symtab_state read_functions(struct tg_symtab *symtab, struct reading *reading)
{
    enum tg_symtab_state state = TG_SYMTAB_NO_MEMORY;
    size_t size = reading->file->strings.sh_size;

    reading->text = malloc(size);
    if (reading->text == NULL)
        return state;
    if (!tg_symtab_file_at(reading->file, reading->file->strings.sh_offset, reading->text, size) ||
        reading->text[size - 1] != '\0')
        state = TG_SYMTAB_DAMAGED;
    else
        state = add_all(symtab, reading);
    if (state == TG_SYMTAB_READ && tg_symtab_find(symtab, tg_symtab_marks[0]) == NULL &&
        tg_symtab_find(symtab, tg_symtab_marks[1]) == NULL)
        state = reading->local ? TG_SYMTAB_LOCAL : TG_SYMTAB_WITHOUT;
    free(reading->text);
    return state;
}

enum tg_symtab_state tg_symtab_read(int fd, const struct tg_symtab_mapped *mapped,
                                    struct tg_symtab *symtab)
{
    struct tg_symtab_file file;
    struct reading reading = {.file = &file};
    enum tg_symtab_state state = tg_symtab_file_open(fd, mapped, &file);

    *symtab = (struct tg_symtab){.base = mapped != NULL ? mapped->base : 0};
    reading.segments = mapped != NULL ? mapped->segments : file.segments;
    reading.segment_count = mapped != NULL ? mapped->count : file.header.e_phnum;
    return state == TG_SYMTAB_READ ? read_functions(symtab, &reading) : state;
}

void tg_symtab_free(struct tg_symtab *symtab)
{
    free(symtab->slots);
    free(symtab->names);
    *symtab = (struct tg_symtab){0};
}

void *tg_symtab_find(const struct tg_symtab *symtab, const char *name)
{
    const struct tg_symtab_function *slot = symtab->slot_count > 0 ? slot_of(symtab, name) : NULL;

    if (slot == NULL || slot->name == 0 || slot->value == 0)
        return NULL;
    return (void *)(symtab->base + slot->value); // NOLINT(performance-no-int-to-ptr)
}

bool tg_symtab_has(const void *symtab, const char *name)
{
    return tg_symtab_find(symtab, name) != NULL;
}
