#include "save.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(struct tg_buf *why, const char *path, int error)
{
    tg_buf_printf(why, "%s: %s", path, strerror(error));
    return false;
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);

        if (written < 0 && errno != EINTR)
            return errno;
        data += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return 0;
}

/* The length of PATH's folder with its slash; 0: the working directory. */
static int folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? (int)(slash - path) + 1 : 0;
}

bool tg_save_prepare(struct tg_save *save, const char *path, mode_t mode, const void *data,
                     size_t size, struct tg_buf *why)
{
    int folder = folder_of(path), fd, error;

    if (snprintf(save->path, PATH_MAX, "%s", path) >= PATH_MAX ||
        snprintf(save->temporary, PATH_MAX, "%.*s.%.200s.XXXXXX", folder, path, path + folder) >=
            PATH_MAX)
        return fail(why, path, ENAMETOOLONG);
    fd = mkostemp(save->temporary, O_CLOEXEC);
    if (fd == -1)
        return fail(why, path, errno);
    save->prepared = true;
    error = write_all(fd, data, size);
    if (error == 0 && (fchmod(fd, mode) == -1 || fsync(fd) == -1))
        error = errno;
    if (close(fd) == -1 && error == 0)
        error = errno;
    return error == 0 || fail(why, path, error);
}

/* The new name is to be there after a crash as well. It's no failure where that can't be had. */
static void sync_folder(const char *path)
{
    char folder[PATH_MAX];
    int fd;

    snprintf(folder, sizeof(folder), "%.*s.", folder_of(path), path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd != -1) {
        fsync(fd);
        close(fd);
    }
}

bool tg_save_commit(struct tg_save *save, bool replace, struct tg_buf *why)
{
    int failed = replace ? rename(save->temporary, save->path) : link(save->temporary, save->path);

    if (failed)
        return fail(why, save->path, errno);
    if (!replace)
        unlink(save->temporary);
    save->prepared = false;
    sync_folder(save->path);
    return true;
}

void tg_save_abandon(struct tg_save *save)
{
    if (save->prepared)
        unlink(save->temporary);
    save->prepared = false;
}

bool tg_save_folder(const char *path, mode_t mode, struct tg_buf *why)
{
    char part[PATH_MAX];
    struct stat status;

    if (strlen(path) >= sizeof(part))
        return fail(why, path, ENAMETOOLONG);
    for (const char *at = path; at != NULL && *at != '\0'; at = strchr(at + 1, '/')) {
        snprintf(part, sizeof(part), "%.*s", (int)(at - path), path);
        if (at > path && mkdir(part, 0777) == -1 && errno != EEXIST)
            return fail(why, part, errno);
    }
    if (mkdir(path, mode) == -1 && errno != EEXIST)
        return fail(why, path, errno);
    if (stat(path, &status) == -1)
        return fail(why, path, errno);
    return S_ISDIR(status.st_mode) || fail(why, path, ENOTDIR);
}
