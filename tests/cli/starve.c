/*
 * starve.c - preloaded into a program: runs its main once whole, then in one child after the other,
 * in each of which another allocation fails, every STARVE_STEP-th. Prints how many allocations
 * there were, how many children were killed by a signal, and how many ended with 0 though the whole
 * run didn't, or with another output. Children write no errors.
 */
#include "../unit/shortage.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int main_function(int, char **, char **);

int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);
static main_function *real_main;
static long *made; /* allocations so far, shared with the child; NULL: not counting */
static long failing;

static bool fails(void)
{
    return made != NULL && ++*made == failing;
}

struct ended {
    int status; /* as waitpid(2) tells it */
    size_t length;
    char output[16384];
};

static void run(long number, int argc, char **argv, char **envp, long *count, struct ended *ended)
{
    int output = memfd_create("output", MFD_CLOEXEC);
    pid_t child = fork();

    if (child == 0) {
        (void)dup2(output, STDOUT_FILENO);
        (void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        (void)alarm(120);
        failing = number;
        *count = 0;
        made = count;
        exit(real_main(argc, argv, envp));
    }
    (void)waitpid(child, &ended->status, 0);
    ended->length = (size_t)pread(output, ended->output, sizeof(ended->output), 0);
    (void)close(output);
}

static int starve(int argc, char **argv, char **envp)
{
    static struct ended whole, starved;
    const char *every = getenv("STARVE_STEP");
    long step = every != NULL ? strtol(every, NULL, 10) : 1, total, killed = 0, other = 0;
    long *count =
        mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    (void)unsetenv("LD_PRELOAD");
    run(0, argc, argv, envp, count, &whole);
    total = *count;
    for (long number = 1; number <= total; number += step) {
        run(number, argc, argv, envp, count, &starved);
        killed += WIFSIGNALED(starved.status);
        other += starved.status == 0 && (whole.status != 0 || starved.length != whole.length ||
                                         memcmp(starved.output, whole.output, whole.length) != 0);
    }
    (void)dprintf(STDOUT_FILENO, "%ld allocations, %ld killed, %ld other\n", total, killed, other);
    return WEXITSTATUS(whole.status);
}

int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    __typeof__(&__libc_start_main) next = dlsym(RTLD_NEXT, "__libc_start_main");

    real_main = main;
    return next(starve, argc, argv, init, fini, rtld_fini, stack_end);
}
