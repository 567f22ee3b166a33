#include "replace.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define CHANGED "was changed by someone else meanwhile: nothing is written, try again"

/* Adds what errno says. */
static bool blame(struct tg_buf *why, const char *what)
{
    tg_buf_printf(why, "%s: %s", what, strerror(errno));
    return false;
}

/* The path of a file that is to be made: its folder has to be there. */
static bool resolve_new(struct tg_replace *file, const char *path, struct tg_buf *why)
{
    char copy[PATH_MAX], folder[PATH_MAX];
    struct stat status;
    int length;

    if (lstat(path, &status) == 0) {
        tg_buf_add(why, "is a symbolic link that leads nowhere");
        return false;
    }
    snprintf(copy, sizeof(copy), "%s", path);
    if (strlen(path) >= sizeof(copy) || realpath(dirname(copy), folder) == NULL)
        return blame(why, "its folder can't be used");
    snprintf(copy, sizeof(copy), "%s", path);
    length = snprintf(file->path, PATH_MAX, "%s/%s", folder, basename(copy));
    if (length < PATH_MAX)
        return true;
    tg_buf_add(why, "the path is too long");
    return false;
}

static bool read_all(struct tg_replace *file, size_t most, struct tg_buf *why)
{
    char block[16384];
    ssize_t got;

    while ((got = read(file->lock, block, sizeof(block))) > 0 && file->text.length <= most)
        tg_buf_addn(&file->text, block, (size_t)got);
    if (got < 0)
        return blame(why, "can't be read");
    if (got > 0 || file->text.length > most)
        tg_buf_printf(why, "is larger than %zu MiB", most >> 20);
    else if (file->text.failed)
        tg_buf_add(why, "memory ran out");
    return why->length == 0;
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* True if the path leads to what was read, or still to nothing. */
static bool is_unchanged(const struct tg_replace *file)
{
    struct stat now;

    if (stat(file->path, &now) != 0)
        return errno == ENOENT && !file->exists;
    return file->exists && same(&now, &file->status);
}

static bool read_old(struct tg_replace *file, size_t most, struct tg_buf *why)
{
    file->lock = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file->lock == -1)
        return blame(why, "can't be read");
    file->exists = true;
    if (fstat(file->lock, &file->status) != 0)
        return blame(why, "can't be read");
    if (!S_ISREG(file->status.st_mode)) {
        tg_buf_add(why, "is no regular file");
        return false;
    }
    if (flock(file->lock, LOCK_EX | LOCK_NB) != 0)
        return blame(why, "is being changed by another program");
    if (!read_all(file, most, why))
        return false;
    if (!is_unchanged(file))
        tg_buf_add(why, CHANGED);
    return why->length == 0;
}

bool tg_replace_begin(struct tg_replace *file, const char *path, size_t most, struct tg_buf *why)
{
    if (realpath(path, file->path) != NULL)
        return read_old(file, most, why);
    if (errno != ENOENT)
        return blame(why, "can't be used");
    return resolve_new(file, path, why);
}

static bool write_all(int fd, const struct tg_buf *text)
{
    for (size_t at = 0; at < text->length;) {
        ssize_t written = write(fd, text->text + at, text->length - at);

        if (written < 0 && errno != EINTR)
            return false;
        at += written > 0 ? (size_t)written : 0;
    }
    return true;
}

/* The owner first: to change it would take set-uid bits away again. */
static bool take_after(int fd, const struct tg_replace *file)
{
    const struct stat *old = &file->status;
    mode_t mask;

    if (file->exists)
        return ((old->st_uid == geteuid() && old->st_gid == getegid()) ||
                fchown(fd, old->st_uid, old->st_gid) == 0) &&
               fchmod(fd, old->st_mode & 07777) == 0;
    mask = umask(077);
    umask(mask);
    return fchmod(fd, 0644 & ~mask) == 0; /* writable by others it would never be read */
}

/* Fills the temporary file FD, and closes it. */
static bool fill(int fd, const struct tg_replace *file, const struct tg_buf *text,
                 struct tg_buf *why)
{
    bool filled = false;

    if (!take_after(fd, file))
        blame(why, "its owner and mode can't be kept");
    else if (!write_all(fd, text) || fsync(fd) != 0)
        blame(why, "can't be written");
    else
        filled = true;
    if (close(fd) != 0 && filled)
        return blame(why, "can't be written");
    return filled;
}

static void sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd == -1)
        return;
    fsync(fd);
    close(fd);
}

/* A file that someone made meanwhile isn't replaced. */
static bool put(const struct tg_replace *file, const char *temporary, struct tg_buf *why)
{
    int failed = file->exists
                     ? rename(temporary, file->path)
                     : renameat2(AT_FDCWD, temporary, AT_FDCWD, file->path, RENAME_NOREPLACE);

    return failed == 0 || blame(why, "can't be replaced");
}

static bool write_beside(const struct tg_replace *file, const struct tg_buf *text,
                         struct tg_buf *why)
{
    char copy[PATH_MAX], temporary[PATH_MAX + 16], *name = strrchr(file->path, '/') + 1;
    bool done = false;
    int fd;

    snprintf(copy, sizeof(copy), "%s", file->path);
    snprintf(temporary, sizeof(temporary), "%.*s.%s.XXXXXX", (int)(name - file->path), file->path,
             name);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd == -1)
        return blame(why, "its folder can't be written");
    if (fill(fd, file, text, why)) {
        if (is_unchanged(file))
            done = put(file, temporary, why);
        else
            tg_buf_add(why, CHANGED);
    }
    if (done)
        sync_folder(dirname(copy));
    else
        unlink(temporary);
    return done;
}

/*
 * Signals that would end the command wait until no temporary file can be left behind. SIGXFSZ is an
 * error of write(2) like that of a full disk.
 */
bool tg_replace_commit(struct tg_replace *file, const struct tg_buf *text, struct tg_buf *why)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction ignored = {.sa_handler = SIG_IGN}, limit;
    sigset_t held, before;
    bool done;

    if (text->failed) {
        tg_buf_add(why, "memory ran out");
        return false;
    }
    sigemptyset(&held);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        sigaddset(&held, ends[i]);
    pthread_sigmask(SIG_BLOCK, &held, &before);
    sigaction(SIGXFSZ, &ignored, &limit);
    done = write_beside(file, text, why);
    sigaction(SIGXFSZ, &limit, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return done;
}

void tg_replace_end(struct tg_replace *file)
{
    if (file->exists)
        close(file->lock);
    tg_buf_free(&file->text);
    *file = (struct tg_replace){0};
}
