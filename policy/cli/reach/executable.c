#include "executable.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that wants more than this of us is none that a linker made. */
enum { MOST_DYNAMIC = 65536, MOST_CHAIN = 1 << 20, MOST_NOTES = 1 << 20, NAME = 256 };

static bool read_at(const struct tg_executable *file, uint64_t offset, void *out, size_t size)
{
    uint64_t end;

    if (__builtin_add_overflow(offset, size, &end) || end > (uint64_t)file->size)
        return false;
    return pread(file->fd, out, size, (off_t)offset) == (ssize_t)size;
}

/* Reads SIZE bytes at the virtual ADDRESS, as the loader would map it from the file. */
static bool read_address(const struct tg_executable *file, uint64_t address, void *out, size_t size)
{
    for (size_t i = 0; i < file->header.e_phnum; i++) {
        const ElfW(Phdr) *segment = &file->segments[i];
        uint64_t offset, into = address - segment->p_vaddr;

        if (segment->p_type != PT_LOAD || address < segment->p_vaddr || into >= segment->p_filesz ||
            size > segment->p_filesz - into)
            continue;
        return !__builtin_add_overflow(segment->p_offset, into, &offset) &&
               read_at(file, offset, out, size);
    }
    return false;
}

static enum tg_executable_state read_header(struct tg_executable *file)
{
    static const uint16_t one = 1;
    const bool little = *(const uint8_t *)&one == 1;
    ElfW(Ehdr) own;
    struct tg_executable self = {.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
                                 .size = sizeof(own)};
    bool known = self.fd != -1 && read_at(&self, 0, &own, sizeof(own));

    if (self.fd != -1)
        close(self.fd);
    if (!read_at(file, 0, &file->header, sizeof(file->header)) ||
        memcmp(file->header.e_ident, ELFMAG, SELFMAG) != 0)
        return TG_EXECUTABLE_NONE;
    if (file->header.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
        file->header.e_ident[EI_DATA] != (little ? ELFDATA2LSB : ELFDATA2MSB) ||
        (known && file->header.e_machine != own.e_machine))
        return TG_EXECUTABLE_FOREIGN;
    return TG_EXECUTABLE_READ;
}

static bool read_segments(struct tg_executable *file)
{
    size_t count = file->header.e_phnum;

    if (file->header.e_phentsize != sizeof(*file->segments) || count == 0 || count == PN_XNUM)
        return false;
    file->segments = calloc(count, sizeof(*file->segments));
    return file->segments != NULL &&
           read_at(file, file->header.e_phoff, file->segments, count * sizeof(*file->segments));
}

static bool read_interpreter(struct tg_executable *file, const ElfW(Phdr) *segment)
{
    size_t size = segment->p_filesz;

    return size > 1 && size <= sizeof(file->interpreter) &&
           read_at(file, segment->p_offset, file->interpreter, size) &&
           file->interpreter[size - 1] == '\0';
}

static bool read_dynamic(struct tg_executable *file, const ElfW(Phdr) *segment)
{
    size_t count = segment->p_filesz / sizeof(*file->dynamic);

    if (count == 0 || count > MOST_DYNAMIC || file->dynamic != NULL)
        return false;
    file->dynamic = calloc(count, sizeof(*file->dynamic));
    if (file->dynamic == NULL ||
        !read_at(file, segment->p_offset, file->dynamic, count * sizeof(*file->dynamic)))
        return false;
    while (file->dynamic_count < count && file->dynamic[file->dynamic_count].d_tag != DT_NULL) {
        const ElfW(Dyn) *entry = &file->dynamic[file->dynamic_count++];

        if (entry->d_tag == DT_STRTAB)
            file->strings = entry->d_un.d_ptr;
        if (entry->d_tag == DT_STRSZ)
            file->strings_size = entry->d_un.d_val;
        if (entry->d_tag == DT_SYMTAB)
            file->symbols = entry->d_un.d_ptr;
        if (entry->d_tag == DT_GNU_HASH)
            file->hash = entry->d_un.d_ptr;
    }
    return true;
}

static bool read_all(struct tg_executable *file)
{
    bool good = read_segments(file);

    for (size_t i = 0; good && i < file->header.e_phnum; i++) {
        if (file->segments[i].p_type == PT_INTERP)
            good = read_interpreter(file, &file->segments[i]);
        if (file->segments[i].p_type == PT_DYNAMIC)
            good = read_dynamic(file, &file->segments[i]);
    }
    return good;
}

enum tg_executable_state tg_executable_open(const char *path, struct tg_executable *file)
{
    enum tg_executable_state state;
    struct stat status;

    *file = (struct tg_executable){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (file->fd == -1 || fstat(file->fd, &status) == -1)
        return TG_EXECUTABLE_UNREADABLE;
    file->size = status.st_size;
    state = read_header(file);
    if (state == TG_EXECUTABLE_READ && !read_all(file))
        state = TG_EXECUTABLE_DAMAGED;
    return state;
}

void tg_executable_close(struct tg_executable *file)
{
    if (file->fd != -1)
        close(file->fd);
    free(file->segments);
    free(file->dynamic);
    *file = (struct tg_executable){.fd = -1};
}

/* True if the string number OFFSET begins with the LENGTH bytes of TEXT. */
static bool string_begins(const struct tg_executable *file, uint64_t offset, const char *text,
                          size_t length)
{
    char found[NAME];

    return length <= sizeof(found) && offset < file->strings_size &&
           length <= file->strings_size - offset &&
           read_address(file, file->strings + offset, found, length) &&
           memcmp(found, text, length) == 0;
}

static bool defines(const struct tg_executable *file, uint32_t index, const char *name)
{
    ElfW(Sym) symbol;

    return read_address(file, file->symbols + (uint64_t)index * sizeof(symbol), &symbol,
                        sizeof(symbol)) &&
           symbol.st_shndx != SHN_UNDEF && symbol.st_value != 0 &&
           string_begins(file, symbol.st_name, name, strlen(name) + 1);
}

static uint32_t hash_name(const char *name)
{
    uint32_t hash = 5381;

    for (; *name != '\0'; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

/* A look-up as the dynamic linker makes it in DT_GNU_HASH, without its Bloom filter. */
bool tg_executable_exports(const struct tg_executable *file, const char *name)
{
    struct {
        uint32_t buckets, first, bloom_words, bloom_shift;
    } head;
    uint32_t wanted = hash_name(name), index, hash;
    uint64_t buckets, chains;

    if (file->hash == 0 || file->symbols == 0 || file->strings == 0 ||
        !read_address(file, file->hash, &head, sizeof(head)) || head.buckets == 0)
        return false;
    buckets = file->hash + sizeof(head) + (uint64_t)head.bloom_words * sizeof(ElfW(Addr));
    chains = buckets + (uint64_t)head.buckets * sizeof(uint32_t);
    if (!read_address(file, buckets + (uint64_t)(wanted % head.buckets) * sizeof(index), &index,
                      sizeof(index)) ||
        index < head.first)
        return false;
    for (uint32_t steps = 0; steps < MOST_CHAIN; steps++, index++) {
        if (!read_address(file, chains + (uint64_t)(index - head.first) * sizeof(hash), &hash,
                          sizeof(hash)))
            return false;
        if ((hash | 1) == (wanted | 1) && defines(file, index, name))
            return true;
        if ((hash & 1) != 0)
            return false;
    }
    return false;
}

/* The undefined symbols stand before the first that DT_GNU_HASH knows. */
bool tg_executable_imports(const struct tg_executable *file, const char *name)
{
    uint32_t head[2] = {0, 0}; /* how many buckets; the first symbol in them */

    if (file->hash == 0 || file->symbols == 0 || file->strings == 0 ||
        !read_address(file, file->hash, head, sizeof(head)))
        return false;
    for (uint32_t i = 1; i < head[1] && i < MOST_CHAIN; i++) {
        ElfW(Sym) symbol;

        if (!read_address(file, file->symbols + (uint64_t)i * sizeof(symbol), &symbol,
                          sizeof(symbol)))
            return false;
        if (symbol.st_shndx == SHN_UNDEF &&
            string_begins(file, symbol.st_name, name, strlen(name) + 1))
            return true;
    }
    return false;
}

bool tg_executable_string(const struct tg_executable *file, ElfW(Sxword) tag, size_t index,
                          char *out, size_t size)
{
    for (size_t i = 0; i < file->dynamic_count; i++) {
        uint64_t offset = file->dynamic[i].d_un.d_val, left;

        if (file->dynamic[i].d_tag != tag || index-- > 0)
            continue;
        if (offset >= file->strings_size)
            return false;
        left = file->strings_size - offset;
        left = left < size ? left : size;
        return read_address(file, file->strings + offset, out, left) &&
               memchr(out, '\0', left) != NULL;
    }
    return false;
}

bool tg_executable_needs(const struct tg_executable *file, const char *prefix)
{
    for (size_t i = 0; i < file->dynamic_count; i++)
        if (file->dynamic[i].d_tag == DT_NEEDED &&
            string_begins(file, file->dynamic[i].d_un.d_val, prefix, strlen(prefix)))
            return true;
    return false;
}

static bool has_go_note(const struct tg_executable *file, const ElfW(Phdr) *segment)
{
    uint64_t at = 0, size = segment->p_filesz < MOST_NOTES ? segment->p_filesz : MOST_NOTES;
    ElfW(Nhdr) note;
    char name[4];

    while (size - at >= sizeof(note) + sizeof(name)) {
        if (!read_at(file, segment->p_offset + at, &note, sizeof(note)) ||
            !read_at(file, segment->p_offset + at + sizeof(note), name, sizeof(name)))
            return false;
        if (note.n_namesz == sizeof(name) && memcmp(name, "Go\0", sizeof(name)) == 0)
            return true;
        at += sizeof(note) + (((uint64_t)note.n_namesz + 3) & ~UINT64_C(3)) +
              (((uint64_t)note.n_descsz + 3) & ~UINT64_C(3));
        if (at > size)
            return false;
    }
    return false;
}

bool tg_executable_is_go(const struct tg_executable *file)
{
    for (size_t i = 0; i < file->header.e_phnum; i++)
        if (file->segments[i].p_type == PT_NOTE && has_go_note(file, &file->segments[i]))
            return true;
    return false;
}
