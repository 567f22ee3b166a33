#include "watch.h"
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* What tells one state of a file from another. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
    int error; /* errno where it can't be looked at */
};

struct tg_watch {
    struct tg_watch *next;
    const char *path;
    struct stamp stamp;
};

static struct stamp look(const char *path)
{
    struct stamp stamp = {0};
    struct stat status;

    if (stat(path, &status) != 0) {
        stamp.error = errno;
        return stamp;
    }
    stamp.device = status.st_dev;
    stamp.inode = status.st_ino;
    stamp.size = status.st_size;
    stamp.modified = status.st_mtim;
    stamp.changed = status.st_ctim;
    return stamp;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same(const struct stamp *a, const struct stamp *b)
{
    return a->error == b->error && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && same_time(&a->modified, &b->modified) &&
           same_time(&a->changed, &b->changed);
}

static bool add_one(struct tg_arena *arena, struct tg_watch **list, const char *path)
{
    struct tg_watch *watch = tg_arena_alloc(arena, sizeof *watch);

    if (!watch)
        return false;
    watch->path = tg_arena_strndup(arena, path, strlen(path));
    watch->stamp = look(path);
    watch->next = *list;
    *list = watch;
    return watch->path != NULL;
}

bool tg_watch_add(struct tg_arena *arena, struct tg_watch **list, const char *path)
{
    bool added = add_one(arena, list, path);
    DIR *directory = opendir(path);
    struct dirent *entry;

    while (added && directory && (entry = readdir(directory)) != NULL) {
        struct tg_buf below = {0};

        if (entry->d_name[0] == '.')
            continue;
        tg_buf_printf(&below, "%s/%s", path, entry->d_name);
        added = !below.failed && add_one(arena, list, below.text);
        tg_buf_free(&below);
    }
    if (directory)
        closedir(directory);
    return added;
}

bool tg_watch_changed(const struct tg_watch *list)
{
    for (; list; list = list->next) {
        struct stamp now = look(list->path);

        if (!same(&now, &list->stamp))
            return true;
    }
    return false;
}
