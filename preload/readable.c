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
static bool is_readable(uintptr_t word)
{
    int saved = errno;
    bool readable =
        syscall(SYS_futex, word, CMP_REQUEUE_PRIVATE, 0, 0, word, 0) >= 0 || errno != EFAULT;

    errno = saved;
    return readable;
}

/* Of the page that AT lies in, a word of the SIZE bytes there, where they have one: valgrind tells
 * of others that nobody has written to. */
static uintptr_t word_at(uintptr_t at, size_t size)
{
    uintptr_t word = (at + 3) & ~(uintptr_t)3;

    return word - at + 4 <= size ? word : at & ~(uintptr_t)3;
}

size_t tg_readable_copy(struct tg_readable *known, void *out, const void *from, size_t length)
{
    uintptr_t at = (uintptr_t)from;
    size_t have = 0;

    while (have < length && at + have >= at) {
        uintptr_t page = (at + have) & ~(PAGE - 1);
        size_t piece = page + PAGE - (at + have);

        piece = piece < length - have ? piece : length - have;
        if (!known->all &&
            (page == 0 || (page != known->page && !is_readable(word_at(at + have, piece)))))
            break;
        known->page = page;
        memcpy((char *)out + have, (const char *)from + have, piece);
        have += piece;
    }
    return have;
}
