#include "lines.h"
#include "script.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_MOST = 64 << 20, LINE_MOST = 1 << 20 };
#define JOURNAL_MOST "20000" /* lines */

extern char **environ;

bool tg_lines_has_journal(void)
{
    char path[PATH_MAX];

    return tg_script_search("journalctl", path) == 0;
}

/* ---- a file ---- */

/* What is wrong with FD, or NULL. */
static const char *look_at(int fd, struct stat *status)
{
    if (fd == -1 || fstat(fd, status) != 0)
        return strerror(errno);
    return S_ISREG(status->st_mode) ? NULL : "it is no file";
}

/* Goes to the first line that begins behind PLACE: the rest of one isn't what it seems, as it may
 * have been a server's name. */
static void skip_to(FILE *from, off_t place)
{
    int character = fseeko(from, place - 1, SEEK_SET) == 0 ? 0 : '\n';

    while (character != '\n' && character != EOF)
        character = getc_unlocked(from);
}

static bool open_file(struct tg_lines *lines, const char **why)
{
    int fd = open(lines->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status = {0};

    *why = look_at(fd, &status);
    if (*why == NULL && (lines->from = fdopen(fd, "r")) == NULL)
        *why = strerror(errno);
    if (*why != NULL) {
        if (fd != -1)
            close(fd);
        return false;
    }
    lines->device = status.st_dev;
    lines->inode = status.st_ino;
    lines->length = 0;
    if (status.st_size > READ_MOST)
        skip_to(lines->from, status.st_size - READ_MOST);
    return true;
}

static bool is_replaced(const struct tg_lines *lines)
{
    struct stat status;

    return stat(lines->path, &status) == 0 &&
           (status.st_dev != lines->device || status.st_ino != lines->inode ||
            status.st_size < ftello(lines->from));
}

/* ---- the journal ---- */

/* stderr too: what journalctl says there is about the user's rights, once. */
static bool open_journal(struct tg_lines *lines, bool following, const char **why)
{
    char *words[] = {"journalctl",
                     "--quiet",
                     "--no-pager",
                     "--output",
                     "short-iso",
                     "--identifier",
                     "trustgraft",
                     "--lines",
                     following ? "0" : JOURNAL_MOST,
                     following ? "--follow" : NULL,
                     NULL};
    posix_spawn_file_actions_t actions;
    int ends[2], error;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        *why = strerror(errno);
        return false;
    }
    error = posix_spawn_file_actions_init(&actions);
    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        if (error == 0)
            error = posix_spawnp(&lines->journalctl, words[0], &actions, NULL, words, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    close(ends[1]);
    if (error == 0 && following)
        (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    if (error == 0 && (lines->from = fdopen(ends[0], "r")) != NULL)
        return true;
    *why = strerror(error != 0 ? error : errno);
    close(ends[0]);
    return false;
}

/* ---- both ---- */

bool tg_lines_open(struct tg_lines *lines, bool following, const char **why)
{
    return lines->path != NULL ? open_file(lines, why) : open_journal(lines, following, why);
}

/* A character of a line; what is too long isn't ours. False: no memory. */
static bool keep(struct tg_lines *lines, int character)
{
    if (lines->length + 1 >= lines->room) {
        size_t room = lines->room > 0 ? 2 * lines->room : 1024;
        char *line = realloc(lines->line, room);

        if (line == NULL)
            return false;
        lines->line = line;
        lines->room = room;
    }
    if (lines->length < LINE_MOST)
        lines->line[lines->length++] = (char)character;
    return true;
}

void tg_lines_read(struct tg_lines *lines, tg_lines_take *take, void *arg)
{
    int character;

    if (lines->from == NULL)
        return;
    clearerr(lines->from);
    while ((character = getc_unlocked(lines->from)) != EOF) {
        if (character != '\n' && keep(lines, character))
            continue;
        if (character == '\n' && keep(lines, '\0'))
            take(arg, lines->line);
        lines->length = 0;
    }
}

void tg_lines_more(struct tg_lines *lines, tg_lines_take *take, void *arg)
{
    const char *why = NULL;

    tg_lines_read(lines, take, arg);
    if (lines->path == NULL || (lines->from != NULL && !is_replaced(lines)))
        return;
    if (lines->from != NULL)
        (void)fclose(lines->from);
    lines->from = NULL;
    if (open_file(lines, &why))
        tg_lines_read(lines, take, arg);
}

void tg_lines_close(struct tg_lines *lines)
{
    if (lines->from != NULL)
        (void)fclose(lines->from);
    if (lines->journalctl > 0) {
        (void)kill(lines->journalctl, SIGTERM);
        while (waitpid(lines->journalctl, NULL, 0) == -1 && errno == EINTR)
            ;
    }
    free(lines->line);
    *lines = (struct tg_lines){.path = lines->path};
}
