#include "collection.h"
#include "file.h"
#include "libc.h"
#include "parents.h"
#include "text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file of COLLECTION's path, which is NAME below DIRECTORY. */
static const char *read_file(const struct tg_collection *collection, int directory,
                             const char *name)
{
    struct tg_file file = {0};
    const char *wrong = tg_file_read_at(collection->arena, directory, name, &file);

    if (wrong == NULL && !tg_watch_opened(collection->watching, collection->path, &file.status))
        wrong = tg_no_memory;
    if (wrong == NULL)
        wrong = tg_blocks_each(collection->arena, &file, collection->kind, collection->out);
    tg_file_clear(&file);
    return wrong;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static const char *read_entry(const struct tg_collection *directory, int fd, const char *name)
{
    struct tg_collection entry = *directory;
    struct tg_buf path = {0};
    struct stat status;
    const char *wrong;

    tg_buf_printf(&path, "%s/%s", directory->path, name);
    entry.path = path.text;
    wrong = path.failed ? tg_no_memory : NULL;
    if (wrong == NULL && fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(status.st_mode))
        wrong = fstatat(fd, name, &status, 0) == -1 && errno == ENOENT
                    ? "is a symbolic link that leads nowhere"
                    : tg_parents_check(entry.arena, entry.path, entry.watching);
    if (wrong == NULL)
        wrong = read_file(&entry, fd, name);
    tg_buf_free(&path);
    return wrong != NULL ? tg_arena_sentence(directory->arena, "%s: %s", name, wrong) : NULL;
}

static const char *read_entries(const struct tg_collection *directory, int fd)
{
    struct dirent **entries = NULL;
    int count = scandirat(fd, ".", &entries, directory->entries->wanted, compare_names);
    const char *wrong = NULL;

    if (count < 0)
        wrong = tg_arena_sentence(directory->arena, "can't be listed: %m");
    else if (count == 0)
        wrong = directory->entries->none;
    for (int i = 0; i < count; i++) {
        if (wrong == NULL)
            wrong = read_entry(directory, fd, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return wrong;
}

static const char *read_directory(const struct tg_collection *directory)
{
    struct stat status;
    int fd = -1;
    const char *wrong =
        tg_file_open(directory->arena, AT_FDCWD, directory->path, S_IFDIR, &fd, &status);

    if (wrong != NULL)
        return wrong;
    wrong = tg_watch_opened(directory->watching, directory->path, &status)
                ? read_entries(directory, fd)
                : tg_no_memory;
    close(fd);
    return wrong;
}

const char *tg_collection_read(const struct tg_collection *collection)
{
    struct stat status;
    bool directory = collection->entries != NULL && stat(collection->path, &status) == 0 &&
                     S_ISDIR(status.st_mode);
    const char *wrong = tg_parents_check(collection->arena, collection->path, collection->watching);

    if (wrong != NULL)
        return wrong;
    return directory ? read_directory(collection)
                     : read_file(collection, AT_FDCWD, collection->path);
}
