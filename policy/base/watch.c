#include "watch.h"
#include <errno.h>
#include <string.h>

/* So long an empty file may be one that is being written, in seconds begun. */
#define EMPTIED 3

/* What tells one state of a file from another. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
    mode_t mode; /* mode and owner: of parent directories alone, besides which one it is */
    uid_t owner;
    int error; /* errno where it can't be looked at */
};

struct tg_watch {
    struct tg_watch *next;
    struct tg_watch *folders; /* the last directory on a way that was noted so far, maybe this */
    struct tg_watch *folder;  /* of such a directory: the one before; NULL: none */
    bool is_folder;
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

/* Which directory it is and whose: what is made and removed in it changes nothing on the way. */
static struct stamp folder_stamp(const struct stat *status)
{
    return (struct stamp){.device = status->st_dev,
                          .inode = status->st_ino,
                          .mode = status->st_mode,
                          .owner = status->st_uid};
}

static struct stamp look(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? stamp_of(&status) : (struct stamp){.error = errno};
}

/* A directory's path has no links, unless one has taken its place. */
static struct stamp look_again(const struct tg_watch *watch)
{
    struct stat status;

    if (!watch->is_folder)
        return look(watch->path);
    return lstat(watch->path, &status) == 0 ? folder_stamp(&status)
                                            : (struct stamp){.error = errno};
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same(const struct stamp *a, const struct stamp *b)
{
    return a->error == b->error && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && same_time(&a->modified, &b->modified) &&
           same_time(&a->changed, &b->changed) && a->mode == b->mode && a->owner == b->owner;
}

static struct tg_watch *folders_of(const struct tg_watching *watching)
{
    return *watching->list != NULL ? (*watching->list)->folders : NULL;
}

static struct tg_watch *add(const struct tg_watching *watching, const char *path,
                            struct stamp stamp)
{
    struct tg_watch *watch = tg_arena_alloc(watching->arena, sizeof(*watch));

    if (watch == NULL)
        return NULL;
    watch->path = tg_arena_strndup(watching->arena, path, strlen(path));
    if (watch->path == NULL)
        return NULL;
    watch->stamp = stamp;
    watch->folders = folders_of(watching);
    watch->next = *watching->list;
    *watching->list = watch;
    return watch;
}

bool tg_watch_add(const struct tg_watching *watching, const char *path)
{
    return add(watching, path, look(path)) != NULL;
}

bool tg_watch_opened(const struct tg_watching *watching, const char *path,
                     const struct stat *status)
{
    return watching == NULL || add(watching, path, stamp_of(status)) != NULL;
}

bool tg_watch_folder(const struct tg_watching *watching, const char *path,
                     const struct stat *status)
{
    struct tg_watch *watch = watching != NULL ? folders_of(watching) : NULL;

    while (watch != NULL && strcmp(watch->path, path) != 0)
        watch = watch->folder;
    if (watching == NULL || watch != NULL)
        return true;
    watch = add(watching, path, folder_stamp(status));
    if (watch == NULL)
        return false;
    watch->is_folder = true;
    watch->folder = watch->folders;
    watch->folders = watch;
    return true;
}

bool tg_watch_changed(const struct tg_watch *list)
{
    for (; list != NULL; list = list->next) {
        struct stamp now = look_again(list);

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
    for (; list != NULL; list = list->next) {
        time_t age = now.tv_sec - list->stamp.changed.tv_sec;

        if (list->stamp.error == 0 && list->stamp.size == 0 && age >= 0 && age < EMPTIED)
            return true;
    }
    return false;
}

void tg_watch_each(const struct tg_watch *list, tg_watch_seen *seen, void *arg)
{
    for (const struct tg_watch *one = list; one != NULL; one = one->next) {
        const struct tg_watch *before = list;

        while (before != one && (before->is_folder || strcmp(before->path, one->path) != 0))
            before = before->next;
        if (before == one && !one->is_folder)
            seen(arg, one->path);
    }
}

void tg_watch_marks(const struct tg_watch *list, tg_watch_marked *seen, void *arg)
{
    for (; list != NULL; list = list->next) {
        const struct stamp *stamp = &list->stamp;
        struct tg_watch_mark mark = {.device = stamp->device,
                                     .inode = stamp->inode,
                                     .size = (uint64_t)stamp->size,
                                     .modified = stamp->modified.tv_sec,
                                     .changed = stamp->changed.tv_sec,
                                     .modified_ns = (uint32_t)stamp->modified.tv_nsec,
                                     .changed_ns = (uint32_t)stamp->changed.tv_nsec,
                                     .mode = stamp->mode,
                                     .owner = stamp->owner,
                                     .error = stamp->error,
                                     .is_folder = list->is_folder};

        seen(arg, list->path, &mark);
    }
}

bool tg_watch_restore(const struct tg_watching *watching, const char *path,
                      const struct tg_watch_mark *mark)
{
    const struct stamp stamp = {.device = mark->device,
                                .inode = mark->inode,
                                .size = (off_t)mark->size,
                                .modified = {mark->modified, mark->modified_ns},
                                .changed = {mark->changed, mark->changed_ns},
                                .mode = mark->mode,
                                .owner = mark->owner,
                                .error = mark->error};
    struct tg_watch *watch = add(watching, path, stamp);

    if (watch == NULL || !mark->is_folder)
        return watch != NULL;
    watch->is_folder = true;
    watch->folder = watch->folders;
    watch->folders = watch;
    return true;
}

/* What tells A from B, in a word or two; they differ. */
static const char *difference(const struct stamp *a, const struct stamp *b)
{
    if (a->error != b->error)
        return b->error != 0 ? "it can't be looked at any more" : "it wasn't there";
    if (a->device != b->device)
        return "it is on another device";
    if (a->inode != b->inode)
        return "it is another file (inode)";
    if (a->size != b->size)
        return "its size";
    if (!same_time(&a->modified, &b->modified))
        return "its time of modification";
    if (!same_time(&a->changed, &b->changed))
        return "its time of change (ctime)";
    return "its mode or owner";
}

const char *tg_watch_difference(struct tg_arena *arena, const struct tg_watch *list)
{
    for (; list != NULL; list = list->next) {
        struct stamp now = look_again(list);

        if (!same(&now, &list->stamp))
            return tg_arena_sentence(arena, "%s: %s", list->path, difference(&list->stamp, &now));
    }
    return NULL;
}

struct timespec tg_watch_newest(const struct tg_watch *list)
{
    struct timespec newest = {0};

    for (; list != NULL; list = list->next) {
        const struct timespec *at = &list->stamp.changed;

        if (at->tv_sec > newest.tv_sec ||
            (at->tv_sec == newest.tv_sec && at->tv_nsec > newest.tv_nsec))
            newest = *at;
    }
    return newest;
}
