#include "child.h"
#include "deadline.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 10, MOST_SAID = 1 << 16 };

/* The parent may have none of the three standard descriptors, or few to spare. */
__attribute__((noreturn)) static void become(int (*work)(const char *), const char *argument,
                                             const int ends[2])
{
    int output = ends[1], null, status;

    close(ends[0]);
    if (output <= STDERR_FILENO)
        output = fcntl(output, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    null = open("/dev/null", O_RDONLY); /* not O_CLOEXEC: it may be what it is to become */
    if (null == -1 || output == -1 || dup2(null, STDIN_FILENO) == -1 ||
        dup2(output, STDOUT_FILENO) == -1 || dup2(output, STDERR_FILENO) == -1)
        _exit(1);
    if (null > STDERR_FILENO)
        close(null);
    status = work(argument);
    fflush(stdout);
    _exit(status);
}

/* Collects what comes until the end; false if it isn't over in time. */
static bool collect(int from, struct tg_buf *said)
{
    int64_t deadline = tg_deadline_in(SECONDS);
    char block[4096];

    while (tg_deadline_poll(from, POLLIN, deadline)) {
        ssize_t got = read(from, block, sizeof(block));

        if (got == 0 || (got == -1 && errno != EINTR))
            return true;
        if (got > 0 && said->length < MOST_SAID)
            tg_buf_addn(said, block, (size_t)got);
    }
    return false;
}

static int fail(struct tg_buf *said, const char *sentence)
{
    tg_buf_free(said);
    tg_buf_add(said, sentence);
    return -1;
}

int tg_child_run(int (*work)(const char *), const char *argument, struct tg_buf *said)
{
    int ends[2], status = 0;
    bool ended;
    pid_t child;

    fflush(stdout);
    if (pipe2(ends, O_CLOEXEC) == -1)
        return fail(said, strerror(errno));
    child = fork();
    if (child == 0)
        become(work, argument, ends);
    close(ends[1]);
    ended = child != -1 && collect(ends[0], said);
    close(ends[0]);
    if (child == -1)
        return fail(said, "no process can be made to try it in");
    if (!ended)
        kill(child, SIGKILL);
    while (waitpid(child, &status, 0) == -1 && errno == EINTR)
        ;
    if (!ended)
        return fail(said, "it hangs");
    return WIFEXITED(status) ? WEXITSTATUS(status) : fail(said, "it crashes");
}
