#include "file.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool tg_file_is_own(const struct stat *status)
{
    return status->st_uid == 0 || status->st_uid == geteuid();
}

const char *tg_file_writer(struct tg_arena *arena, const struct stat *status)
{
    static const struct {
        mode_t bits;
        const char *who, *change;
    } writers[] = {
        {S_IWGRP | S_IWOTH, "group and others", "go-w"},
        {S_IWGRP, "group", "g-w"},
        {S_IWOTH, "others", "o-w"},
    };

    if (!tg_file_is_own(status))
        return tg_arena_sentence(arena, "belongs to user %u, neither to root nor to user %u",
                                 (unsigned)status->st_uid, (unsigned)geteuid());
    for (size_t i = 0; i < sizeof(writers) / sizeof(*writers); i++)
        if ((status->st_mode & writers[i].bits) == writers[i].bits)
            return tg_arena_sentence(arena, "is writable by %s (mode %04o): chmod %s",
                                     writers[i].who, (unsigned)(status->st_mode & 07777),
                                     writers[i].change);
    return NULL;
}

/* The sentence that says why a file of this STATUS isn't to be believed, or NULL. */
static const char *check(struct tg_arena *arena, const struct stat *status, mode_t type)
{
    if ((status->st_mode & S_IFMT) != type)
        return S_ISDIR(status->st_mode) ? "is a directory, not a file" : "is not a regular file";
    return tg_file_writer(arena, status);
}

const char *tg_file_open(struct tg_arena *arena, int directory, const char *name, mode_t type,
                         int *out, struct stat *status)
{
    /* O_NONBLOCK: a FIFO must not stop the process, only be refused. */
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int fd = openat(directory, name, flags);
    const char *wrong;

    if (fd < 0)
        return tg_arena_sentence(arena, "%m");
    if (fstat(fd, status) != 0)
        wrong = tg_arena_sentence(arena, "%m");
    else
        wrong = check(arena, status, type);
    if (wrong != NULL) {
        close(fd);
        return wrong;
    }
    *out = fd;
    return NULL;
}

/* Reads what FD holds, which may be more or less than its size said. */
static const char *slurp(struct tg_arena *arena, int fd, size_t most, struct tg_buf *buf)
{
    char chunk[2048]; /* the stack may be that of a small thread, or of an ASYNC_JOB */

    for (;;) {
        ssize_t got = read(fd, chunk, sizeof(chunk));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tg_arena_sentence(arena, "can't be read: %m");
        if (got == 0)
            return NULL;
        tg_buf_addn(buf, chunk, (size_t)got);
        if (buf->length > most)
            return tg_arena_sentence(arena, "is larger than %zu MiB", most >> 20);
        if (buf->failed)
            return tg_no_memory;
    }
}

static const char *read_at(struct tg_arena *arena, int directory, const char *name, size_t most,
                           struct tg_file *out)
{
    struct stat status = {0};
    struct tg_buf buf = {0};
    size_t size;
    int fd = -1;
    const char *wrong = tg_file_open(arena, directory, name, S_IFREG, &fd, &status);

    if (wrong != NULL)
        return wrong;
    wrong = slurp(arena, fd, most, &buf);
    close(fd);
    size = buf.length;
    if (wrong == NULL) {
        out->data = tg_buf_take(&buf);
        wrong = out->data != NULL ? NULL : tg_no_memory;
        out->size = size;
        out->status = status;
    }
    tg_buf_free(&buf);
    return wrong;
}

const char *tg_file_read_at(struct tg_arena *arena, int directory, const char *name,
                            struct tg_file *out)
{
    return read_at(arena, directory, name, TG_FILE_MAX, out);
}

const char *tg_file_read(struct tg_arena *arena, const char *path, struct tg_file *out)
{
    return read_at(arena, AT_FDCWD, path, TG_FILE_MAX, out);
}

const char *tg_file_read_most(struct tg_arena *arena, const char *path, size_t most,
                              struct tg_file *out)
{
    return read_at(arena, AT_FDCWD, path, most, out);
}

void tg_file_clear(struct tg_file *file)
{
    free(file->data);
    *file = (struct tg_file){0};
}
