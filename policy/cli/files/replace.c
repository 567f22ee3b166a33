#include "replace.h"
#include "file.h"
#include "holder.h"
#include "mem.h"
#include "parents.h"
#include "save.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

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

    if (path[0] == '\0' || path[strlen(path) - 1] == '/') {
        tg_buf_add(why, "isn't the name of a file");
        return false;
    }
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
        tg_buf_add(why, tg_no_memory);
    return why->length == 0;
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
    if (flock(file->lock, LOCK_EX | LOCK_NB) != 0 &&
        (errno != EWOULDBLOCK || tg_holder_counts(&file->status)))
        return blame(why, "is being changed by another program");
    return read_all(file, most, why);
}

bool tg_replace_begin(struct tg_replace *file, const char *path, size_t most, struct tg_buf *why)
{
    if (realpath(path, file->path) != NULL)
        return read_old(file, most, why);
    if (errno != ENOENT)
        return blame(why, "can't be used");
    return resolve_new(file, path, why);
}

static bool is_own(const struct tg_replace *file, const char *path, struct tg_buf *why)
{
    struct tg_arena *arena = tg_arena_new();
    const char *wrong = arena == NULL ? tg_no_memory : tg_parents_check(arena, path, NULL);

    if (wrong == NULL)
        wrong = tg_file_writer(arena, &file->status);
    if (wrong != NULL)
        tg_buf_add(why, wrong);
    tg_arena_free(arena);
    return wrong == NULL;
}

bool tg_replace_begin_own(struct tg_replace *file, const char *path, size_t most,
                          struct tg_buf *why)
{
    char folder[PATH_MAX];

    if (!tg_replace_begin(file, path, most, why))
        return false;
    if (file->exists)
        return is_own(file, path, why);
    snprintf(folder, sizeof(folder), "%s", file->path);
    return tg_save_place_own(dirname(folder), why);
}

/* Never writable by others than its owner: such a file would not be read. */
static mode_t new_mode(void)
{
    mode_t mask = umask(077);

    umask(mask);
    return 0644 & ~mask;
}

bool tg_replace_commit(struct tg_replace *file, const struct tg_buf *text, struct tg_buf *why)
{
    struct tg_save save = {.path = file->path,
                           .text = text,
                           .mode = new_mode(),
                           .replace = file->exists,
                           .like = file->exists ? &file->status : NULL};

    if (!text->failed)
        return tg_save_all(&save, 1, false, why);
    tg_buf_add(why, tg_no_memory);
    return false;
}

void tg_replace_end(struct tg_replace *file)
{
    if (file->exists)
        close(file->lock);
    tg_buf_free(&file->text);
    *file = (struct tg_replace){0};
}
