/* readable.c - asks the kernel, by a call that does nothing else, before it touches a page. */
#include "readable.h"
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE                ((uintptr_t)4096) /* or a part of one, where they are larger */
#define CMP_REQUEUE_PRIVATE 132 /* FUTEX_CMP_REQUEUE_PRIVATE: musl has no header of it */

/*
 * The call reads a word of it, and wakes and moves nobody who waits there. What isn't looked at is
 * a ClientHello unseen: so "no" is EFAULT alone, and not what a filter of system calls may say.
 */
static bool is_readable(uintptr_t page)
{
    int saved = errno;
    bool readable =
        syscall(SYS_futex, page, CMP_REQUEUE_PRIVATE, 0, 0, page, 0) >= 0 || errno != EFAULT;

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
