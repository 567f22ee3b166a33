#include "script.h"
#include "libc.h"
#include "terminal.h"
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the kernel looks at of a first line (BINPRM_BUF_SIZE), and how often it follows one. */
enum { LINE = 256, DEPTH = 5 };

static const char BLANK[] = " \t";

/* 0 if PATH is a file that can be executed. */
static int executable(const char *path)
{
    struct stat status;

    if (stat(path, &status) == -1)
        return errno;
    if (!S_ISREG(status.st_mode))
        return EACCES;
    return access(path, X_OK) == -1 ? errno : 0;
}

/* Writes DIRECTORY/WORD, WORD alone for the empty directory, which is the working directory. */
static int join(const char *directory, size_t length, const char *word, char out[PATH_MAX])
{
    int written =
        snprintf(out, PATH_MAX, "%.*s%s%s", (int)length, directory, length > 0 ? "/" : "./", word);

    return written < 0 || written >= PATH_MAX ? ENAMETOOLONG : 0;
}

int tg_script_search(const char *word, char out[PATH_MAX])
{
    const char *path = getenv("PATH");
    int error, worst = ENOENT;

    if (*word == '\0')
        return ENOENT;
    if (strchr(word, '/') != NULL) {
        if (strlen(word) >= PATH_MAX)
            return ENAMETOOLONG;
        memcpy(out, word, strlen(word) + 1);
        return executable(word);
    }
    for (path = path != NULL ? path : _PATH_DEFPATH; path != NULL;) {
        size_t length = strcspn(path, ":");

        error = join(path, length, word, out);
        if (error == 0)
            error = executable(out);
        if (error == 0)
            return 0;
        if (error == EACCES && access(out, F_OK) == 0) /* not where the folder is closed to us */
            worst = EACCES;
        path = path[length] == ':' ? path + length + 1 : NULL;
    }
    return worst;
}

/* Reads the first line's bytes into LINE, NUL-terminated; -1 if the file can't be read. */
static ssize_t read_line(const char *path, char line[LINE])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t length;

    if (fd == -1)
        return -1;
    length = read(fd, line, LINE - 1);
    close(fd);
    line[length > 0 ? length : 0] = '\0';
    return length;
}

static char *word_at(char *text)
{
    return text + strspn(text, BLANK);
}

static char *cut_word(char *word)
{
    char *end = word + strcspn(word, BLANK);

    if (*end != '\0')
        *end++ = '\0';
    return end;
}

/* What `env ARGUMENTS` runs: the first word that is neither an assignment nor -S. */
static char *env_command(char *arguments)
{
    char *word = word_at(arguments), *next;

    for (; *word != '\0'; word = word_at(next)) {
        next = cut_word(word);
        if (strncmp(word, "-S", 2) == 0 && word[2] != '\0')
            return word + 2;
        if (strcmp(word, "-S") != 0 && strchr(word, '=') == NULL)
            return word;
    }
    return NULL;
}

static bool is_env(const char *interpreter)
{
    return strcmp(basename(interpreter), "env") == 0;
}

/* LINE is "#! interpreter arguments"; writes the interpreter, or what env runs, to OUT. */
static const char *interpreter(char *line, char out[PATH_MAX])
{
    char *word, *rest, *command;
    int error;

    line[strcspn(line, "\n")] = '\0';
    word = word_at(line + 2);
    rest = cut_word(word);
    if (*word == '\0')
        return "is a script whose first line names no interpreter";
    command = is_env(word) ? env_command(rest) : NULL;
    if (command != NULL && *command != '-') {
        error = tg_script_search(command, out);
    } else { /* no env, or an option of env: nobody but env knows what it will run */
        memcpy(out, word, strlen(word) + 1);
        error = executable(out);
    }
    return error == 0 ? NULL : "is a script whose interpreter can't be found or executed";
}

const char *tg_script_program(const char *path, char out[PATH_MAX])
{
    char line[LINE];
    const char *wrong;
    ssize_t length;

    if (strlen(path) >= PATH_MAX)
        return "has too long a path";
    memmove(out, path, strlen(path) + 1);
    for (int depth = 0; depth < DEPTH; depth++) {
        length = read_line(out, line);
        if (length == -1)
            return NULL; /* it may still be executed: the kernel needs no right to read */
        if (length < 2 || strncmp(line, "#!", 2) != 0) {
            if (strncmp(line, "\177ELF", 4) != 0 && strlen(line) == (size_t)length)
                memcpy(out, _PATH_BSHELL, sizeof(_PATH_BSHELL));
            return NULL;
        }
        wrong = interpreter(line, out);
        if (wrong != NULL)
            return wrong;
    }
    return "is a script of a script of a script...: that is too deep for the kernel";
}

bool tg_script_resolve(const char *word, char out[PATH_MAX])
{
    char found[PATH_MAX], program[PATH_MAX];
    const char *wrong;
    int error = tg_script_search(word, found);

    if (error != 0) {
        tg_complain("program '%s': %s", word, strerror(error));
        return false;
    }
    wrong = tg_script_program(found, program);
    if (wrong != NULL) {
        tg_complain("program %s %s", found, wrong);
        return false;
    }
    if (realpath(program, out) == NULL) {
        tg_complain("program %s: %s", program, strerror(errno));
        return false;
    }
    if (strcmp(found, program) != 0)
        tg_complain("%s is a script: its process is %s", found, out);
    return true;
}
