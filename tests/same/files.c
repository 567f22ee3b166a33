/* files.c - what happens to files between two loads. */
#include "ask.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *path)
{
    printf("can't copy to %s\n", path);
    exit(2);
}

static void copy_to(const char *from, const char *to)
{
    char block[65536];
    ssize_t size = 0;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (in < 0 || out < 0)
        fail(to);
    while ((size = read(in, block, sizeof block)) > 0) {
        if (write(out, block, (size_t)size) != size)
            fail(to);
    }
    close(in);
    close(out);
}

/* copy from to: over what is there, in the same inode. */
static void copy(char **word)
{
    copy_to(word[1], word[2]);
}

/* Its times of change are again what they were; only that of the inode tells. */
static void copy_unseen(char **word)
{
    struct stat was;
    struct timespec times[2];

    if (stat(word[2], &was) != 0)
        fail(word[2]);
    copy_to(word[1], word[2]);
    times[0] = was.st_atim;
    times[1] = was.st_mtim;
    (void)utimensat(AT_FDCWD, word[2], times, 0);
}

/* exchange from to: by a rename. */
static void exchange(char **word)
{
    char fresh[4096];

    snprintf(fresh, sizeof fresh, "%s.fresh", word[2]);
    copy_to(word[1], fresh);
    if (rename(fresh, word[2]) != 0)
        fail(word[2]);
}

static void erase(char **word)
{
    (void)unlink(word[1]);
}

/* feed FIFO FILE: somebody writes FILE into it, once, and goes. */
static void feed(char **word)
{
    fflush(stdout);
    if (fork() != 0)
        return;
    alarm(60);
    signal(SIGPIPE, SIG_DFL);
    copy_to(word[2], word[1]);
    _exit(0);
}

static void as_nobody(char **word)
{
    (void)word;
    if (seteuid(65534) != 0)
        fail("nobody");
}

static void as_root(char **word)
{
    (void)word;
    if (seteuid(0) != 0)
        fail("root");
}

/* Descriptors that a program has open: the lowest free one tells of what was left open. */
static void descriptor(char **word)
{
    int number = dup(0);

    (void)word;
    printf("next descriptor %d\n", number);
    close(number);
}

const struct step file_steps[] = {
    {"copy", copy},         {"copy-unseen", copy_unseen},
    {"exchange", exchange}, {"erase", erase},
    {"feed", feed},         {"as-nobody", as_nobody},
    {"as-root", as_root},   {"descriptor", descriptor},
    {NULL, NULL},
};
