#include "parents.h"
#include "file.h"
#include "text.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINKS      40 /* as many as the kernel follows */
#define PROC_MAGIC 0x9fa0
#define WRITERS    (S_IWGRP | S_IWOTH)

/* A path that is half resolved. */
struct way {
    struct tg_arena *arena;
    const struct tg_watching *watching;
    struct tg_buf at;   /* "" or "/a/b": without links, "." and ".." */
    struct tg_buf rest; /* what is still to come */
    struct stat status; /* of `at` */
    unsigned links;
};

static const char *directory(const struct way *way)
{
    return way->at.length > 0 ? way->at.text : "/";
}

/*
 * A user namespace shows whoever isn't mapped there as one and the same user: the machine's own
 * root too, to whom "/" and what stands right in it belong.
 */
static bool is_of_outer_root(const struct way *way, uid_t owner)
{
    FILE *map = NULL;
    char line[64];
    bool mapped = false, known = false;

    if (way->at.length > 0 && strrchr(way->at.text, '/') != way->at.text)
        return false;
    map = fopen("/proc/self/uid_map", "re");
    while (map != NULL && fgets(line, sizeof(line), map) != NULL) {
        char *at = line; /* first here, first outside, how many */
        unsigned long first = strtoul(at, &at, 10);

        (void)strtoul(at, &at, 10);
        known = true;
        mapped = mapped || (owner >= first && owner - first < strtoul(at, NULL, 10));
    }
    if (map != NULL)
        fclose(map);
    return known && !mapped;
}

/* Whether who opens the path will look at the owner of ENTRY. */
static bool is_last(const struct way *way, const struct stat *entry)
{
    return !S_ISLNK(entry->st_mode) && way->rest.text[strspn(way->rest.text, "/")] == '\0';
}

/* What speaks against the directory that the way is at, as that in which ENTRY at PATH is. */
static const char *check(const struct way *way, const char *path, const struct stat *entry)
{
    struct stat status = way->status;
    const char *wrong;

    if (!tg_file_is_own(&status) && is_of_outer_root(way, status.st_uid))
        status.st_uid = 0;
    if ((status.st_mode & S_ISVTX) && (status.st_mode & WRITERS)) {
        if (!tg_file_is_own(entry) && !is_last(way, entry))
            return tg_arena_sentence(
                way->arena, "%s on its way belongs to user %u, neither to root nor to user %u",
                path, (unsigned)entry->st_uid, (unsigned)geteuid());
        status.st_mode &= ~(mode_t)WRITERS;
    }
    wrong = tg_file_writer(way->arena, &status);
    return wrong != NULL
               ? tg_arena_sentence(way->arena, "its directory %s %s", directory(way), wrong)
               : NULL;
}

static void cut(struct tg_buf *text, size_t length)
{
    text->length = length;
    if (text->text != NULL)
        text->text[length] = '\0';
}

static void go_up(struct way *way)
{
    const char *slash = way->at.length > 0 ? strrchr(way->at.text, '/') : NULL;

    cut(&way->at, slash != NULL ? (size_t)(slash - way->at.text) : 0);
}

static const char *stand(struct way *way)
{
    if (way->at.failed)
        return tg_no_memory;
    return lstat(directory(way), &way->status) == 0 ? NULL : tg_arena_sentence(way->arena, "%m");
}

/* What an open file has in /proc is no path, once that file has none. */
static bool is_nameless(const struct way *way, const char *target)
{
    static const char deleted[] = " (deleted)";
    size_t length = strlen(target), end = sizeof(deleted) - 1;
    struct statfs system;

    return length > end && strcmp(target + length - end, deleted) == 0 &&
           statfs(directory(way), &system) == 0 && system.f_type == PROC_MAGIC;
}

/* Goes on with what the link ENTRY, in the directory that the way is at, holds. */
static const char *follow(struct way *way, const char *entry)
{
    char *target = malloc(PATH_MAX);
    ssize_t length = target != NULL ? readlink(entry, target, PATH_MAX - 1) : -1;
    struct tg_buf rest = {0};
    const char *wrong = NULL;

    if (target == NULL)
        return tg_no_memory;
    if (length < 0 || way->links++ >= LINKS) {
        errno = length < 0 ? errno : ELOOP;
        wrong = tg_arena_sentence(way->arena, "%m");
    } else {
        target[length] = '\0';
        if (is_nameless(way, target))
            target[0] = '\0';
        else
            tg_buf_printf(&rest, "%s/%s", target, way->rest.text);
        tg_buf_free(&way->rest);
        way->rest = rest;
        if (target[0] == '/') {
            cut(&way->at, 0);
            wrong = stand(way);
        }
    }
    free(target);
    return wrong;
}

/* Looks NAME up in the directory that the way is at. */
static const char *enter(struct way *way, const char *name)
{
    size_t length = way->at.length;
    struct tg_buf entry = {0};
    struct stat status;
    const char *wrong = NULL;

    tg_buf_printf(&entry, "%s/%s", length > 0 ? way->at.text : "", name);
    if (entry.failed)
        return tg_no_memory;
    if (lstat(entry.text, &status) != 0)
        wrong = tg_arena_sentence(way->arena, "%m");
    else if (!tg_watch_folder(way->watching, directory(way), &way->status))
        wrong = tg_no_memory;
    else
        wrong = check(way, entry.text, &status);
    if (wrong == NULL && S_ISLNK(status.st_mode)) {
        wrong = follow(way, entry.text);
    } else if (wrong == NULL) {
        tg_buf_free(&way->at);
        way->at = entry;
        way->status = status;
        return NULL;
    }
    tg_buf_free(&entry);
    return wrong;
}

/* Takes the first name off what is to come; free it. NULL with *WRONG unless there is none. */
static char *next_name(struct way *way, const char **wrong)
{
    char *text = way->rest.text, *begin = text != NULL ? text + strspn(text, "/") : NULL, *name;
    size_t length = begin != NULL ? strcspn(begin, "/") : 0, left;

    if (way->rest.failed)
        *wrong = tg_no_memory;
    if (way->rest.failed || length == 0)
        return NULL;
    name = strndup(begin, length);
    if (name == NULL)
        *wrong = tg_no_memory;
    left = strlen(begin + length);
    memmove(text, begin + length, left);
    cut(&way->rest, left);
    return name;
}

static const char *walk(struct way *way)
{
    const char *wrong = stand(way);
    char *name;

    while (wrong == NULL && (name = next_name(way, &wrong)) != NULL) {
        if (strcmp(name, "..") == 0) {
            go_up(way);
            wrong = stand(way);
        } else if (strcmp(name, ".") != 0) {
            wrong = enter(way, name);
        }
        free(name);
    }
    return wrong;
}

const char *tg_parents_check(struct tg_arena *arena, const char *path,
                             const struct tg_watching *watching)
{
    struct way way = {.arena = arena, .watching = watching};
    char *working = path[0] == '/' ? NULL : getcwd(NULL, 0);
    const char *wrong;

    if (path[0] != '/' && working == NULL)
        return tg_arena_sentence(arena, "the working directory: %m");
    tg_buf_printf(&way.rest, "%s/%s", working != NULL ? working : "", path);
    wrong = walk(&way);
    free(working);
    tg_buf_free(&way.at);
    tg_buf_free(&way.rest);
    return wrong;
}
