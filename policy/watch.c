#include "watch.h"
#include <errno.h>
#include <string.h>
#include <time.h>

/* So long an empty file may be one that is being written, in seconds begun. */
#define EMPTIED 3

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

static struct stamp stamp_of(const struct stat *status)
{
    return (struct stamp){.device = status->st_dev,
                          .inode = status->st_ino,
                          .size = status->st_size,
                          .modified = status->st_mtim,
                          .changed = status->st_ctim};
}

static struct stamp look(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? stamp_of(&status) : (struct stamp){.error = errno};
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

static bool add(const struct tg_watching *watching, const char *path, struct stamp stamp)
{
    struct tg_watch *watch = tg_arena_alloc(watching->arena, sizeof *watch);

    if (!watch)
        return false;
    watch->path = tg_arena_strndup(watching->arena, path, strlen(path));
    watch->stamp = stamp;
    watch->next = *watching->list;
    if (watch->path)
        *watching->list = watch;
    return watch->path != NULL;
}

bool tg_watch_add(const struct tg_watching *watching, const char *path)
{
    return add(watching, path, look(path));
}

bool tg_watch_opened(const struct tg_watching *watching, const char *path,
                     const struct stat *status)
{
    return !watching || add(watching, path, stamp_of(status));
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

bool tg_watch_emptied(const struct tg_watch *list)
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return false;
    for (; list; list = list->next) {
        time_t age = now.tv_sec - list->stamp.changed.tv_sec;

        if (list->stamp.error == 0 && list->stamp.size == 0 && age >= 0 && age < EMPTIED)
            return true;
    }
    return false;
}

void tg_watch_each(const struct tg_watch *list, tg_watch_seen *seen, void *arg)
{
    for (const struct tg_watch *one = list; one; one = one->next) {
        const struct tg_watch *before = list;

        while (before != one && strcmp(before->path, one->path) != 0)
            before = before->next;
        if (before == one)
            seen(arg, one->path);
    }
}
