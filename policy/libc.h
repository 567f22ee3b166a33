/*
 * libc.h - what is glibc's own of what the sources use, for another C library: musl.
 *
 * Under names of our own where functions are made anew, so that a later musl may have them too.
 */
#ifndef TG_LIBC_H
#define TG_LIBC_H

#include <features.h>

#ifdef __GLIBC__

#if !__GLIBC_PREREQ(2, 32)
#define strerrordesc_np strerror
#endif

/* True of the MAP (struct link_map) that is the program's own. */
#define tg_libc_is_program(map) ((map)->l_name[0] == '\0')

/* By what dlopen(3) finds a library that is loaded: its name, or the path it was loaded from. */
#define tg_libc_known_as(name, path) (name)

/* Whether a library NAME that is needed is what the loader itself is. */
#define tg_libc_is_loader(name) false

/* The last argument of sendmmsg(2). */
typedef int tg_libc_flags;

/* Whether /etc/ld.so.preload is read, whose words are loaded into each process. */
#define TG_LIBC_PRELOAD_FILE true

#else

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define strerrordesc_np      strerror
#define TG_LIBC_PRELOAD_FILE false
typedef unsigned tg_libc_flags;

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

/* Whoever would ask for it takes the engine with a libcrypto inside, whose functions are bound when
 * it is linked; one that got another library's functions refuses (bound.h). */
#ifndef RTLD_DEEPBIND
#define RTLD_DEEPBIND 0
#endif

/* The program has a name here. It is the first of all that is loaded. */
#define tg_libc_is_program(map) ((map)->l_prev == NULL)

/* GNU's, of string.h. */
#undef basename
#define basename tg_libc_basename
static inline char *tg_libc_basename(const char *path)
{
    const char *slash = strrchr(path, '/');

    return (char *)(slash != NULL ? slash + 1 : path);
}

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif
#undef renameat2
#define renameat2 tg_libc_renameat2
static inline int tg_libc_renameat2(int from, const char *old, int to, const char *new,
                                    unsigned flags)
{
    return (int)syscall(SYS_renameat2, from, old, to, new, flags);
}

/* ---- directories -------------------------------------------------------------------------- */

/* What scandir(3) has read so far. */
struct tg_libc_entries {
    struct dirent **list;
    size_t count, room;
};

static inline bool tg_libc_add_entry(struct tg_libc_entries *entries, const struct dirent *entry)
{
    size_t size = offsetof(struct dirent, d_name) + strlen(entry->d_name) + 1;
    struct dirent *copy = malloc(size), **more = entries->list;

    if (copy != NULL && entries->count == entries->room) {
        more = reallocarray(entries->list, entries->room * 2 + 16, sizeof(struct dirent *));
        if (more != NULL) {
            entries->list = more;
            entries->room = entries->room * 2 + 16;
        }
    }
    if (copy == NULL || more == NULL) {
        free(copy);
        return false;
    }
    memcpy(copy, entry, size);
    entries->list[entries->count++] = copy;
    return true;
}

/* All of FOLDER that is WANTED; false, with errno, if it can't be read to its end. */
static inline bool tg_libc_read_entries(struct tg_libc_entries *entries, DIR *folder,
                                        int (*wanted)(const struct dirent *))
{
    const struct dirent *entry;

    while (errno = 0, (entry = readdir(folder)) != NULL)
        if (wanted(entry) && !tg_libc_add_entry(entries, entry)) {
            errno = ENOMEM;
            return false;
        }
    return errno == 0;
}

#undef scandirat
#define scandirat tg_libc_scandirat
static inline int tg_libc_scandirat(int at, const char *path, struct dirent ***list,
                                    int (*wanted)(const struct dirent *),
                                    int (*compare)(const struct dirent **, const struct dirent **))
{
    struct tg_libc_entries entries = {NULL, 0, 0};
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    bool good = folder != NULL && tg_libc_read_entries(&entries, folder, wanted);

    error = errno;
    if (folder != NULL)
        closedir(folder);
    else if (fd >= 0)
        close(fd);
    if (!good) {
        while (entries.count > 0)
            free(entries.list[--entries.count]);
        free(entries.list);
        errno = error;
        return -1;
    }
    if (entries.count > 0)
        qsort(entries.list, entries.count, sizeof(struct dirent *),
              (int (*)(const void *, const void *))compare);
    *list = entries.list;
    return (int)entries.count;
}

/* ---- what is loaded ----------------------------------------------------------------------- */

/* As musl's own list of names has it, whatever stands behind the dot. */
static inline bool tg_libc_is_loader(const char *name)
{
    static const char *const names[] = {"libc.",  "libpthread.", "librt.",  "libm.",
                                        "libdl.", "libutil.",    "libxnet."};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* There are no versions of symbols here. */
#undef dlvsym
#define dlvsym(handle, name, version) ((void)(version), dlsym(handle, name))

/* A library that was loaded by its path isn't found by its name here; and by the path only while
 * that leads to it. */
#define tg_libc_known_as(name, path)  ((void)(name), (path))

/* What an address lies in, by its path. */
struct tg_libc_object {
    ElfW(Addr) address;
    const char *path;
};

static inline int tg_libc_find_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct tg_libc_object *object = arg;
    ElfW(Addr) offset = object->address - info->dlpi_addr;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

        if (segment->p_type == PT_LOAD && offset >= segment->p_vaddr &&
            offset < segment->p_vaddr + segment->p_memsz) {
            object->path = info->dlpi_name;
            return 1;
        }
    }
    return 0;
}

/*
 * glibc's dladdr1 with RTLD_DL_LINKMAP; INFO stays as it is. What is loaded stays, and what is
 * being loaded comes last in the list: so nothing that may go away again is looked at.
 */
#undef dladdr1
#undef RTLD_DL_LINKMAP
#define RTLD_DL_LINKMAP 2
#define dladdr1         tg_libc_dladdr1
static inline int tg_libc_dladdr1(const void *address, Dl_info *info, void **map, int flags)
{
    struct tg_libc_object object = {.address = (ElfW(Addr))address};
    struct link_map *each = NULL;

    (void)info, (void)flags;
    dl_iterate_phdr(tg_libc_find_object, &object);
    if (object.path == NULL || dlinfo(dlopen(NULL, RTLD_LAZY), RTLD_DI_LINKMAP, &each) != 0)
        return 0;
    while (each != NULL && each->l_name != object.path)
        each = each->l_next;
    *map = each;
    return each != NULL;
}

#endif
#endif
