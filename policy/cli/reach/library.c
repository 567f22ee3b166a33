#include "library.h"
#include "executable.h"
#include "libc.h"
#include "text.h"
#include "unreached.h"
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 1024, LARGEST_CACHE = 16 << 20 };

/* Where libraries are searched for one that needs them. */
struct search {
    struct tg_buf cache; /* /etc/ld.so.cache, as far as it is understood */
    const char *environment;
};

/* ---- /etc/ld.so.cache --------------------------------------------------------------------- */

/* glibc's sysdeps/generic/dl-cache.h: struct cache_file_new and struct file_entry_new. */
#define CACHE_MAGIC "glibc-ld.so.cache1.1"
struct cache_head {
    char magic[sizeof(CACHE_MAGIC) - 1];
    uint32_t count, strings_size, unused[5];
};
struct cache_entry {
    int32_t flags;
    uint32_t name, path, version; /* name and path: offsets from the file's start */
    uint64_t hardware;
};

static void read_cache(struct tg_buf *cache)
{
    int fd = open("/etc/ld.so.cache", O_RDONLY | O_CLOEXEC);
    char block[16384];
    ssize_t got;

    if (fd == -1)
        return;
    while ((got = read(fd, block, sizeof(block))) > 0 && cache->length < LARGEST_CACHE)
        tg_buf_addn(cache, block, (size_t)got);
    close(fd);
    if (cache->failed || cache->length < sizeof(struct cache_head) ||
        memcmp(cache->text, CACHE_MAGIC, sizeof(CACHE_MAGIC) - 1) != 0)
        tg_buf_free(cache);
}

static bool fits(const char *path)
{
    struct tg_executable file;
    bool good = tg_executable_open(path, &file) == TG_EXECUTABLE_READ;

    tg_executable_close(&file);
    return good;
}

/* The text at OFFSET, or "": it must end in the file, as tg_buf ends every text. */
static const char *cache_text(const struct tg_buf *cache, uint32_t offset)
{
    return offset < cache->length ? cache->text + offset : "";
}

static bool in_cache(const struct tg_buf *cache, const char *name, char out[PATH_MAX])
{
    struct cache_head head;
    struct cache_entry entry;

    if (cache->length < sizeof(head))
        return false;
    memcpy(&head, cache->text, sizeof(head));
    for (size_t i = 0, at = sizeof(head); i < head.count && at + sizeof(entry) <= cache->length;
         i++, at += sizeof(entry)) {
        memcpy(&entry, cache->text + at, sizeof(entry));
        if (strcmp(cache_text(cache, entry.name), name) == 0 &&
            fits(cache_text(cache, entry.path)) &&
            snprintf(out, PATH_MAX, "%s", cache_text(cache, entry.path)) < PATH_MAX)
            return true;
    }
    return false;
}

/* ---- lists of directories ----------------------------------------------------------------- */

/* Writes DIRECTORY with $ORIGIN replaced by that of OBJECT; other names aren't followed. */
static bool expand(const char *directory, size_t length, const char *object, struct tg_buf *out)
{
    const char *slash = strrchr(object, '/'), *end = directory + length;
    size_t origin = slash != NULL ? (size_t)(slash - object) : 0;

    while (directory < end) {
        size_t skip = strncmp(directory, "$ORIGIN", 7) == 0     ? 7
                      : strncmp(directory, "${ORIGIN}", 9) == 0 ? 9
                                                                : 0;
        if (skip > 0) {
            tg_buf_addn(out, object, origin);
            directory += skip;
        } else if (*directory == '$') {
            return false;
        } else {
            tg_buf_addn(out, directory++, 1);
        }
    }
    return !out->failed;
}

/* Looks for NAME in LIST, directories with colons (or semicolons) between them. */
static bool in_list(const char *list, const char *object, const char *name, char out[PATH_MAX])
{
    while (list != NULL && *list != '\0') {
        size_t length = strcspn(list, ":;");
        struct tg_buf path = {0};
        bool found = expand(list, length, object, &path) && length > 0;

        tg_buf_printf(&path, "/%s", name);
        found = found && !path.failed && path.length < PATH_MAX && fits(path.text);
        if (found)
            memcpy(out, path.text, path.length + 1);
        tg_buf_free(&path);
        if (found)
            return true;
        list += length + (list[length] != '\0');
    }
    return false;
}

static bool in_own_list(const struct tg_executable *file, ElfW(Sxword) tag, const char *object,
                        const char *name, char out[PATH_MAX])
{
    char list[PATH_MAX];

    return tg_executable_string(file, tag, 0, list, sizeof(list)) &&
           in_list(list, object, name, out);
}

#if defined(__x86_64__)
#define TRIPLET "x86_64-linux-gnu"
#elif defined(__aarch64__)
#define TRIPLET "aarch64-linux-gnu"
#else
#define TRIPLET "."
#endif
#ifdef __GLIBC__
#define DEFAULTS "/lib/" TRIPLET ":/usr/lib/" TRIPLET ":/lib64:/usr/lib64:/lib:/usr/lib"
#else
#define DEFAULTS "/lib:/usr/local/lib:/usr/lib"
#endif

/* The loader that runs PROGRAM. */
static bool locate_loader(const char *program, char out[PATH_MAX])
{
    struct tg_executable file;
    bool found = tg_executable_open(program, &file) == TG_EXECUTABLE_READ &&
                 snprintf(out, PATH_MAX, "%s", file.interpreter) < PATH_MAX;

    tg_executable_close(&file);
    return found;
}

/* A NAME with a slash isn't searched for. */
static bool at_path(const char *name, const char *object, char out[PATH_MAX])
{
    struct tg_buf path = {0};
    bool found = expand(name, strlen(name), object, &path) && path.text != NULL &&
                 path.length < PATH_MAX && fits(path.text);

    if (found)
        memcpy(out, path.text, path.length + 1);
    tg_buf_free(&path);
    return found;
}

/* ld.so(8), in its order. RUNPATH, where there is one, takes RPATH out of force. */
static bool locate(const struct search *search, const struct tg_executable *file,
                   const char *object, const char *program, const char *name, char out[PATH_MAX])
{
    struct tg_executable first;
    char list[PATH_MAX];
    bool modern = tg_executable_string(file, DT_RUNPATH, 0, list, sizeof(list)), found;

    if (strchr(name, '/') != NULL)
        return at_path(name, object, out);
    if (tg_libc_is_loader(name))
        return locate_loader(program, out);
    if (!modern && in_own_list(file, DT_RPATH, object, name, out))
        return true;
    found = !modern && tg_executable_open(program, &first) == TG_EXECUTABLE_READ &&
            in_own_list(&first, DT_RPATH, program, name, out);
    if (!modern)
        tg_executable_close(&first);
    return found || in_list(search->environment, object, name, out) ||
           in_own_list(file, DT_RUNPATH, object, name, out) ||
           in_cache(&search->cache, name, out) || in_list(DEFAULTS, object, name, out);
}

/* ---- the list ----------------------------------------------------------------------------- */

static bool is_known(const struct tg_libraries *list, const char *name)
{
    for (size_t i = 1; i < list->count; i++)
        if (strcmp(list->item[i].name, name) == 0)
            return true;
    return false;
}

static struct tg_library *add(struct tg_libraries *list, const char *name, size_t by)
{
    struct tg_library *added = &list->item[list->count];

    if (list->count == MOST)
        return NULL;
    *added = (struct tg_library){.by = by};
    snprintf(added->name, sizeof(added->name), "%s", name);
    list->count++;
    return added;
}

/* Adds what the library number INDEX needs. */
static bool follow(const struct search *search, struct tg_libraries *list, size_t index)
{
    const char *object = list->item[index].path;
    char name[TG_LIBRARY_NAME];
    struct tg_executable file;
    bool good = true;

    if (tg_executable_open(object, &file) == TG_EXECUTABLE_READ)
        for (size_t i = 0; good && tg_executable_string(&file, DT_NEEDED, i, name, sizeof(name));
             i++) {
            struct tg_library *added = is_known(list, name) ? NULL : add(list, name, index);

            if (added != NULL &&
                !locate(search, &file, object, list->item[0].path, name, added->path))
                added->path[0] = '\0';
            good = added != NULL || is_known(list, name);
        }
    tg_executable_close(&file);
    return good;
}

bool tg_libraries_of(const char *program, struct tg_libraries *list)
{
    struct search search = {.environment = getenv("LD_LIBRARY_PATH")};
    bool good;

    *list = (struct tg_libraries){.item = calloc(MOST, sizeof(*list->item))};
    /* $ORIGIN is the folder that the file itself is in, not a link to it. */
    good = list->item != NULL && realpath(program, list->item[0].path) != NULL;
    if (good) {
        list->count = 1;
        read_cache(&search.cache);
    }
    for (size_t i = 0; good && i < list->count; i++)
        good = follow(&search, list, i);
    tg_buf_free(&search.cache);
    return good;
}

const char *tg_library_foreign(const struct tg_library *library)
{
    int found = tg_unreached_find(library->name);

    return found >= 0 ? tg_unreached[found].name : NULL;
}

bool tg_library_reached(const struct tg_library *library)
{
    return strncmp(library->name, "libssl.so", 9) == 0 ||
           strncmp(library->name, "libgnutls.so", 12) == 0 ||
           strcmp(library->name, "libssl3.so") == 0;
}

bool tg_libraries_reached(const struct tg_libraries *list)
{
    for (size_t i = 1; i < list->count; i++)
        if (tg_library_reached(&list->item[i]))
            return true;
    return false;
}

const struct tg_library *tg_libraries_find(const struct tg_libraries *list, const char *prefix)
{
    for (size_t i = 1; i < list->count; i++)
        if (strncmp(list->item[i].name, prefix, strlen(prefix)) == 0)
            return &list->item[i];
    return NULL;
}

const char *tg_libraries_by(const struct tg_libraries *list, size_t index)
{
    size_t by = list->item[index].by;

    return by == 0 ? "the program" : list->item[by].name;
}

/* The C library and libcrypto load others for their own ends: that says nothing. */
bool tg_libraries_load(const struct tg_libraries *list, size_t index)
{
    static const char *const own[] = {"libc.so", "libcrypto.so", "libssl.so", "ld-linux", "libdl."};
    struct tg_executable file;
    bool loads;

    for (size_t i = 0; index > 0 && i < sizeof(own) / sizeof(own[0]); i++)
        if (strncmp(list->item[index].name, own[i], strlen(own[i])) == 0)
            return false;
    loads = tg_executable_open(list->item[index].path, &file) == TG_EXECUTABLE_READ &&
            tg_executable_imports(&file, "dlopen");
    tg_executable_close(&file);
    return loads;
}
