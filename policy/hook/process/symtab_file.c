#include "symtab_file.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A file that wants more than this of us is none that a linker made. */
enum { MOST_NOTES = 4096, MOST_ID = 64, PIECE = 32768 };
#define MOST_STRINGS ((uint64_t)1 << 30)

/* pread(2) without its name, which each program that the preload library is in would have to look
 * up, as any function that nothing else there calls. */
bool tg_symtab_file_at(const struct tg_symtab_file *file, uint64_t offset, void *out, uint64_t size)
{
    uint64_t end;

    if (__builtin_add_overflow(offset, size, &end) || end > file->size)
        return false;
    for (uint64_t done = 0; done < size;) {
        long got = syscall(SYS_pread64, file->fd, (char *)out + done, size - done, offset + done);

        if (got <= 0 && !(got < 0 && errno == EINTR))
            return false;
        done += got > 0 ? (uint64_t)got : 0;
    }
    return true;
}

static enum tg_symtab_state open_file(int fd, struct tg_symtab_file *file)
{
    ElfW(Ehdr) *header = &file->header;
    struct stat status;

    file->fd = fd;
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return TG_SYMTAB_UNREADABLE;
    file->size = (uint64_t)status.st_size;
    if (!tg_symtab_file_at(file, 0, header, sizeof(*header)) ||
        memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
        header->e_phentsize != sizeof(ElfW(Phdr)) || header->e_phnum > TG_SYMTAB_SEGMENTS ||
        !tg_symtab_file_at(file, header->e_phoff, file->segments,
                           header->e_phnum * sizeof(ElfW(Phdr))))
        return TG_SYMTAB_DAMAGED;
    return TG_SYMTAB_READ;
}

/* ---- is the file what is mapped? ------------------------------------------------------------ */

struct build_id {
    size_t size; /* 0: none */
    uint8_t byte[MOST_ID];
};

/* Looks for NT_GNU_BUILD_ID among the notes NOTES, SIZE bytes (gABI, "Note Section"). */
static void find_id(const uint8_t *notes, size_t size, struct build_id *id)
{
    ElfW(Nhdr) note;

    while (id->size == 0 && size >= sizeof(note)) {
        memcpy(&note, notes, sizeof(note));
        uint64_t name = ((uint64_t)note.n_namesz + 3) & ~UINT64_C(3);
        uint64_t whole = sizeof(note) + name + (((uint64_t)note.n_descsz + 3) & ~UINT64_C(3));

        if (whole > size)
            return;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
            memcmp(notes + sizeof(note), "GNU", sizeof("GNU")) == 0 && note.n_descsz <= MOST_ID) {
            id->size = note.n_descsz;
            memcpy(id->byte, notes + sizeof(note) + name, id->size);
        }
        notes += whole;
        size -= whole;
    }
}

static bool read_id(const struct tg_symtab_file *file, struct build_id *id)
{
    uint8_t notes[MOST_NOTES];

    for (size_t i = 0; id->size == 0 && i < file->header.e_phnum; i++) {
        const ElfW(Phdr) *segment = &file->segments[i];

        if (segment->p_type != PT_NOTE || segment->p_filesz > MOST_NOTES)
            continue;
        if (!tg_symtab_file_at(file, segment->p_offset, notes, segment->p_filesz))
            return false;
        find_id(notes, segment->p_filesz, id);
    }
    return true;
}

bool tg_symtab_is_loaded(const ElfW(Phdr) *segments, size_t count, ElfW(Word) flags,
                         ElfW(Addr) address, uint64_t size)
{
    for (size_t i = 0; i < count; i++) {
        const ElfW(Phdr) *segment = &segments[i];

        if (segment->p_type == PT_LOAD && (segment->p_flags & flags) == flags &&
            address >= segment->p_vaddr && size <= segment->p_filesz &&
            address - segment->p_vaddr <= segment->p_filesz - size)
            return true;
    }
    return false;
}

static void map_id(const struct tg_symtab_mapped *mapped, struct build_id *id)
{
    for (size_t i = 0; id->size == 0 && i < mapped->count; i++) {
        const ElfW(Phdr) *segment = &mapped->segments[i];

        if (segment->p_type == PT_NOTE && tg_symtab_is_loaded(mapped->segments, mapped->count, PF_R,
                                                              segment->p_vaddr, segment->p_memsz))
            // NOLINTNEXTLINE(performance-no-int-to-ptr)
            find_id((const uint8_t *)(mapped->base + segment->p_vaddr), segment->p_memsz, id);
    }
}

static enum tg_symtab_state compare_ids(const struct tg_symtab_file *file,
                                        const struct tg_symtab_mapped *mapped)
{
    struct build_id of_file = {0}, of_process = {0};

    if (!read_id(file, &of_file))
        return TG_SYMTAB_DAMAGED;
    if (mapped != NULL)
        map_id(mapped, &of_process);
    if (of_file.size == 0 || (mapped != NULL && of_process.size == 0))
        return TG_SYMTAB_NO_ID;
    if (mapped != NULL && (of_file.size != of_process.size ||
                           memcmp(of_file.byte, of_process.byte, of_file.size) != 0))
        return TG_SYMTAB_REPLACED;
    return TG_SYMTAB_READ;
}

/* ---- the two sections ----------------------------------------------------------------------- */

static bool read_sections(const struct tg_symtab_file *file, size_t first, size_t count,
                          ElfW(Shdr) *sections)
{
    return first <= file->header.e_shnum && count <= file->header.e_shnum - first &&
           tg_symtab_file_at(file, file->header.e_shoff + first * sizeof(*sections), sections,
                             count * sizeof(*sections));
}

static bool is_within(const struct tg_symtab_file *file, const ElfW(Shdr) *section)
{
    return section->sh_size <= file->size && section->sh_offset <= file->size - section->sh_size;
}

/* False: there is none, or *GOOD is false as the headers can't be read. */
static bool find_symbols(struct tg_symtab_file *file, bool *good)
{
    enum { AT_ONCE = 32 };
    ElfW(Shdr) sections[AT_ONCE];
    size_t left = file->header.e_shnum;

    for (*good = true; left > 0 && *good;) { /* it is among the last */
        size_t count = left < AT_ONCE ? left : AT_ONCE;

        left -= count;
        *good = read_sections(file, left, count, sections);
        for (size_t i = count; *good && i-- > 0;)
            if (sections[i].sh_type == SHT_SYMTAB) {
                file->symbols = sections[i];
                return true;
            }
    }
    return false;
}

/* Finds the .symtab, and the strings that go with it. */
static enum tg_symtab_state find_sections(struct tg_symtab_file *file)
{
    const ElfW(Ehdr) *header = &file->header;
    const ElfW(Shdr) *symbols = &file->symbols, *strings = &file->strings;
    bool good;

    if (header->e_shoff == 0 || header->e_shnum == 0)
        return TG_SYMTAB_STRIPPED;
    if (header->e_shentsize != sizeof(*symbols) || header->e_shoff > file->size)
        return TG_SYMTAB_DAMAGED;
    if (!find_symbols(file, &good))
        return good ? TG_SYMTAB_STRIPPED : TG_SYMTAB_DAMAGED;
    good = symbols->sh_entsize == sizeof(ElfW(Sym)) && is_within(file, symbols) &&
           read_sections(file, symbols->sh_link, 1, &file->strings) &&
           strings->sh_type == SHT_STRTAB && strings->sh_size > 0 &&
           strings->sh_size <= MOST_STRINGS && is_within(file, strings);
    return good ? TG_SYMTAB_READ : TG_SYMTAB_DAMAGED;
}

/* ---- is there an OpenSSL? -------------------------------------------------------------------- */

/* Nobody can make a connection of OpenSSL's without: either may be called otherwise in a file that
 * was tampered with. */
const char *const tg_symtab_marks[TG_SYMTAB_MARKS] = {"SSL_new", "SSL_CTX_new"};

/* A string of that end will do: linkers let one be the end of another. */
static bool ends_like_mark(const char *string, size_t length)
{
    for (size_t i = 0; i < TG_SYMTAB_MARKS; i++) {
        size_t wanted = strlen(tg_symtab_marks[i]);

        if (length >= wanted && string[length - 1] == tg_symtab_marks[i][wanted - 1] &&
            strcmp(string + length - wanted, tg_symtab_marks[i]) == 0)
            return true;
    }
    return false;
}

/* One look at the strings tells most programs without OpenSSL. */
enum tg_symtab_state tg_symtab_file_search(const struct tg_symtab_file *file)
{
    enum { OVERLAP = 16 }; /* of two pieces: longer than any mark */
    char piece[PIECE + 1];
    uint64_t size = file->strings.sh_size;

    for (uint64_t at = 0; at < size; at += at + PIECE < size ? PIECE - OVERLAP : PIECE) {
        size_t got = size - at < PIECE ? (size_t)(size - at) : PIECE, length;

        if (!tg_symtab_file_at(file, file->strings.sh_offset + at, piece, got))
            return TG_SYMTAB_DAMAGED;
        piece[got] = '\0';
        for (const char *string = piece; string < piece + got; string += length + 1) {
            length = strlen(string);
            if (ends_like_mark(string, length))
                return TG_SYMTAB_READ;
        }
    }
    return TG_SYMTAB_WITHOUT;
}

enum tg_symtab_state tg_symtab_file_open(int fd, const struct tg_symtab_mapped *mapped,
                                         struct tg_symtab_file *file)
{
    enum tg_symtab_state state = open_file(fd, file), same;

    if (state != TG_SYMTAB_READ)
        return state;
    same = compare_ids(file, mapped);
    if (same == TG_SYMTAB_DAMAGED || same == TG_SYMTAB_REPLACED)
        return same; /* whatever is in this file */
    state = find_sections(file);
    if (state == TG_SYMTAB_READ && same == TG_SYMTAB_NO_ID)
        state = tg_symtab_file_search(file);
    return state == TG_SYMTAB_READ ? same : state;
}

/* An OpenSSL's code is more than this, also without all that can be left out. */
#define LEAST_CODE ((size_t)1 << 20)

bool tg_symtab_is_worth(const ElfW(Phdr) *segments, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (segments[i].p_type == PT_LOAD && (segments[i].p_flags & PF_X) != 0 &&
            segments[i].p_filesz >= LEAST_CODE)
            return true;
    return false;
}
