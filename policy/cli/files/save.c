#include "save.h"
#include "file.h"
#include "libc.h"
#include "mem.h"
#include "parents.h"
#include "terminal.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Adds what failed and why. */
static bool fail(struct tg_buf *why, const char *what, int error)
{
    tg_buf_printf(why, "%s: %s", what, strerror(error));
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

/* The owner first: to change it would take set-uid bits away again. */
static int take_after(int fd, const struct tg_save *save)
{
    const struct stat *old = save->like;

    if (old != NULL && (old->st_uid != geteuid() || old->st_gid != getegid()) &&
        fchown(fd, old->st_uid, old->st_gid) == -1)
        return errno;
    return fchmod(fd, old != NULL ? old->st_mode & 07777 : save->mode) == -1 ? errno : 0;
}

/* Writes the file beside its place, to the disk. False with what failed in WHY. */
static bool prepare(struct tg_save *save, struct tg_buf *why)
{
    int folder = folder_of(save->path), fd, error;
    int length = snprintf(save->temporary, sizeof(save->temporary), "%.*s.%.200s.XXXXXX", folder,
                          save->path, save->path + folder);

    errno = ENAMETOOLONG;
    fd = (size_t)length < sizeof(save->temporary) ? mkostemp(save->temporary, O_CLOEXEC) : -1;
    if (fd == -1) {
        save->temporary[0] = '\0';
        return fail(why, "its folder can't be written", errno);
    }
    error = take_after(fd, save);
    if (error != 0) {
        close(fd);
        return fail(why, "its owner and mode can't be set", error);
    }
    error = write_all(fd, save->text->text, save->text->length);
    if (error == 0 && fsync(fd) == -1)
        error = errno;
    if (close(fd) == -1 && error == 0)
        error = errno;
    return error == 0 || fail(why, "can't be written", error);
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

static bool is_still(const char *path, const struct stat *before)
{
    struct stat now;

    return stat(path, &now) == 0 && now.st_dev == before->st_dev && now.st_ino == before->st_ino &&
           now.st_size == before->st_size && now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == before->st_mtim.tv_nsec &&
           now.st_ctim.tv_sec == before->st_ctim.tv_sec &&
           now.st_ctim.tv_nsec == before->st_ctim.tv_nsec;
}

/* What someone made meanwhile isn't replaced; link(2) is for file systems that can't tell, as NFS.
 */
static int move(const struct tg_save *save)
{
    if (save->replace)
        return rename(save->temporary, save->path);
    if (renameat2(AT_FDCWD, save->temporary, AT_FDCWD, save->path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL || link(save->temporary, save->path) == -1)
        return -1;
    unlink(save->temporary);
    return 0;
}

/* Puts it in its place. */
static bool commit(struct tg_save *save, struct tg_buf *why)
{
    if (save->like != NULL && !is_still(save->path, save->like)) {
        tg_buf_add(why, TG_SAVE_CHANGED);
        return false;
    }
    if (move(save) == -1) {
        if (errno != EEXIST)
            return fail(why, "can't be replaced", errno);
        tg_buf_add(why, "was made by someone else meanwhile: nothing is written, try again");
        return false;
    }
    save->temporary[0] = '\0';
    sync_folder(save->path);
    return true;
}

/* Takes STEP with each file until one fails, which WHY tells then. */
static bool each(struct tg_save *saves, size_t count, bool named, struct tg_buf *why,
                 bool (*step)(struct tg_save *save, struct tg_buf *why))
{
    struct tg_buf what = {0};
    bool done = true;

    for (size_t i = 0; i < count && done; i++) {
        done = step(&saves[i], &what);
        if (!done)
            tg_buf_printf(why, "%s%s%s", named ? saves[i].path : "", named ? ": " : "",
                          what.text != NULL ? what.text : tg_no_memory);
    }
    tg_buf_free(&what);
    return done;
}

static bool write_set(struct tg_save *saves, size_t count, bool named, struct tg_buf *why)
{
    bool done = each(saves, count, named, why, prepare) && each(saves, count, named, why, commit);

    for (size_t i = 0; i < count; i++)
        if (saves[i].temporary[0] != '\0')
            unlink(saves[i].temporary);
    return done;
}

bool tg_save_all(struct tg_save *saves, size_t count, bool named, struct tg_buf *why)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction ignored = {.sa_handler = SIG_IGN}, limit;
    sigset_t held, before;
    bool done;

    sigemptyset(&held);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        sigaddset(&held, ends[i]);
    pthread_sigmask(SIG_BLOCK, &held, &before);
    sigaction(SIGXFSZ, &ignored, &limit);
    done = write_set(saves, count, named, why);
    sigaction(SIGXFSZ, &limit, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return done;
}

bool tg_save_text(const char *path, struct tg_buf *text)
{
    struct tg_save save = {.path = path, .text = text, .mode = 0644, .replace = true};
    struct tg_buf why = {0};
    bool written;

    if (text->failed)
        tg_buf_add(&why, tg_no_memory);
    written = !text->failed && tg_save_all(&save, 1, false, &why);
    if (!written)
        tg_complain_of(path, &why);
    tg_buf_free(text);
    tg_buf_free(&why);
    return written;
}

bool tg_save_folder(const char *path, mode_t mode, struct tg_buf *why)
{
    char part[PATH_MAX];
    struct stat status;

    if (strlen(path) >= sizeof(part))
        return fail(why, path, ENAMETOOLONG);
    for (const char *at = path; at != NULL && *at != '\0'; at = strchr(at + 1, '/')) {
        snprintf(part, sizeof(part), "%.*s", (int)(at - path), path);
        if (at > path && mkdir(part, 0755) == -1 && errno != EEXIST)
            return fail(why, part, errno);
    }
    if (mkdir(path, mode) == -1 && errno != EEXIST)
        return fail(why, path, errno);
    if (stat(path, &status) == -1)
        return fail(why, path, errno);
    return S_ISDIR(status.st_mode) || fail(why, path, ENOTDIR);
}

static bool is_someones(const struct stat *status)
{
    return status->st_uid != geteuid() && status->st_uid != 0;
}

bool tg_save_place_own(const char *folder, struct tg_buf *why)
{
    struct tg_arena *arena;
    struct stat status;
    const char *wrong;

    if (stat(folder, &status) == -1)
        return fail(why, "its folder can't be used", errno);
    arena = tg_arena_new();
    wrong = arena == NULL ? tg_no_memory : tg_parents_check(arena, folder, NULL);
    if ((status.st_mode & S_ISVTX) != 0)
        status.st_mode &= ~(mode_t)(S_IWGRP | S_IWOTH);
    if (wrong == NULL) {
        wrong = tg_file_writer(arena, &status);
        if (wrong != NULL)
            wrong = tg_arena_sentence(arena, "its directory %s %s", folder, wrong);
    }
    if (wrong != NULL)
        tg_buf_printf(why, "%s: programs would not trust what is there", wrong);
    tg_arena_free(arena);
    return wrong == NULL;
}

bool tg_save_folder_own(const char *path, mode_t mode, struct tg_buf *why)
{
    struct stat link, status;
    const char *wrong = NULL;

    if (!tg_save_folder(path, mode, why))
        return false;
    if (lstat(path, &link) == -1 || stat(path, &status) == -1)
        return fail(why, path, errno);
    if (is_someones(&link))
        wrong = S_ISLNK(link.st_mode) ? "is another user's link, which may lead anywhere"
                                      : "is another user's folder";
    else if (is_someones(&status))
        wrong = "leads to another user's folder";
    else if ((status.st_mode & S_IWOTH) != 0)
        wrong = "is a folder that everybody can write";
    if (wrong != NULL)
        tg_buf_printf(why, "%s: %s: nothing is put there that programs are to trust", path, wrong);
    return wrong == NULL && tg_save_place_own(path, why);
}
