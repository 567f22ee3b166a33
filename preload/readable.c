/* readable.c - asks the kernel, by a call that does nothing else, before it touches a page. */
#include "readable.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE ((uintptr_t)4096) /* or a part of one, where they are larger */

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14, glibc 2.35 */
#endif

/* The call reads the set of signals before it refuses what it doesn't know. */
static bool is_read(uintptr_t page)
{
    enum { NOTHING = -1, SET_SIZE = 8 };

    return syscall(SYS_rt_sigprocmask, NOTHING, page, NULL, SET_SIZE) == 0 || errno != EFAULT;
}

/*
 * What isn't looked at is a ClientHello unseen: so "no" is EFAULT alone. Linux before 5.14, a
 * filter of system calls or want of memory may refuse the first question for reasons of their own.
 */
static bool is_readable(uintptr_t page)
{
    int saved = errno;
    bool readable = syscall(SYS_madvise, page, PAGE, MADV_POPULATE_READ) == 0;

    if (!readable && errno != EFAULT)
        readable = is_read(page);
    errno = saved;
    return readable;
}

size_t tg_readable_copy(struct tg_readable *known, void *out, const void *from, size_t length)
{
    uintptr_t at = (uintptr_t)from;
    size_t have = 0;

    while (have < length && at + have >= at) {
        uintptr_t page = (at + have) & ~(PAGE - 1);
        size_t piece = page + PAGE - (at + have);

        if (!known->all && (page == 0 || (page != known->page && !is_readable(page))))
            break;
        known->page = page;
        piece = piece < length - have ? piece : length - have;
        memcpy((char *)out + have, (const char *)from + have, piece);
        have += piece;
    }
    return have;
}
