/*
 * bounded.h - a line for a descriptor that the program has set bounds to: it must neither end nor
 * stop the program. Of the hook and of the preloaded library, which share no code that is linked.
 */
#ifndef TG_BOUNDED_H
#define TG_BOUNDED_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * True where MORE bytes at the end of the file, or where DESCRIPTOR stands, would go beyond the
 * limit of a file's size: a write would raise SIGXFSZ, which ends the program.
 */
static inline bool tg_bounded_full(int descriptor, const struct stat *status, size_t more)
{
    struct rlimit size;
    off_t at = status->st_size, here;

    if (!S_ISREG(status->st_mode) || getrlimit(RLIMIT_FSIZE, &size) != 0 ||
        size.rlim_cur == RLIM_INFINITY)
        return false;
    here = lseek(descriptor, 0, SEEK_CUR);
    if (here > at)
        at = here;
    return at < 0 || (rlim_t)at + more > size.rlim_cur;
}

/*
 * Writes LINE. A terminal may stop those who write from the background, by SIGTTOU (termios(3),
 * TOSTOP); where that is blocked it lets them.
 */
static inline ssize_t tg_bounded_write(int descriptor, const char *line, size_t length)
{
    sigset_t stop, before;
    struct stat status;
    ssize_t written = -1;
    bool blocked;

    if (fstat(descriptor, &status) != 0 || tg_bounded_full(descriptor, &status, length))
        return -1;
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTTOU);
    blocked = S_ISCHR(status.st_mode) && pthread_sigmask(SIG_BLOCK, &stop, &before) == 0;
    if (blocked || !S_ISCHR(status.st_mode))
        written = write(descriptor, line, length);
    if (blocked)
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return written;
}

#endif
