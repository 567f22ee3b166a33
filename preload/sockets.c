/*
 * sockets.c - the interposed functions of libc by which a process reaches others: connect(2)
 * tells where a socket leads to, and what is written first through a socket tells which connection
 * of a TLS library it carries. The wrappers only look. Those that write are async-signal-safe, as
 * the functions they stand for are: no lock, no pthread_once(3). connect also looks at what the
 * linker has loaded since, which is not.
 */
#include "beside.h"
#include "ends.h"
#include "engine.h"
#include "hellos.h"
#include "libc.h"
#include "readable.h"
#include "resolve.h"
#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

/* So that no wrapper has to ask the dynamic linker, which a signal handler mustn't. */
__attribute__((constructor)) static void resolve(void)
{
#define RESOLVE(symbol, name) (void)tg_resolve_libc(symbol);
    TG_SOCKET_SYMBOLS(RESOLVE)
#undef RESOLVE
}

/*
 * What goes through a socket of datagrams is noted before it is sent, for a QUIC packet has to be.
 * Anything else is noted once it is sent, as it is known to be readable then.
 */
static bool note_before(int descriptor, const struct iovec *data, size_t count)
{
    bool before = tg_hellos_started() && tg_ends_datagrams(descriptor);

    if (before)
        tg_hellos_note(descriptor, data, count, NULL, 0);
    return before;
}

/* False: the message can't be read, and won't be sent. */
static bool note_message(int descriptor, const struct msghdr *given)
{
    struct msghdr message;
    socklen_t most =
        sizeof(struct sockaddr_storage); /* of a longer address the kernel takes that */

    if (tg_readable_copy(&(struct tg_readable){0}, &message, given, sizeof(message)) <
        sizeof(message))
        return false;
    tg_hellos_note(descriptor, message.msg_iov, message.msg_iovlen, message.msg_name,
                   message.msg_namelen < most ? message.msg_namelen : most);
    return true;
}

TG_API int connect(int descriptor, const struct sockaddr *address, socklen_t length)
{
    __typeof__(&connect) real = tg_resolve_libc(TG_CONNECT);

    if (!tg_engine_inert())
        tg_ends_connect(descriptor, address, length);
    tg_beside_look();
    return real != NULL ? real(descriptor, address, length)
                        : (int)syscall(SYS_connect, descriptor, address, length);
}

TG_API ssize_t write(int descriptor, const void *data, size_t size)
{
    __typeof__(&write) real = tg_resolve_libc(TG_WRITE);

    const struct iovec all = {(void *)data, size};
    bool noted = note_before(descriptor, &all, 1);
    ssize_t sent =
        real != NULL ? real(descriptor, data, size) : syscall(SYS_write, descriptor, data, size);

    if (!noted)
        tg_hellos_sent(descriptor, &all, 1, sent);
    return sent;
}

TG_API ssize_t writev(int descriptor, const struct iovec *data, int count)
{
    __typeof__(&writev) real = tg_resolve_libc(TG_WRITEV);

    bool noted = note_before(descriptor, data, (size_t)count);
    ssize_t sent =
        real != NULL ? real(descriptor, data, count) : syscall(SYS_writev, descriptor, data, count);

    if (!noted)
        tg_hellos_sent(descriptor, data, (size_t)count, sent);
    return sent;
}

TG_API ssize_t send(int descriptor, const void *data, size_t size, int flags)
{
    __typeof__(&send) real = tg_resolve_libc(TG_SEND);

    const struct iovec all = {(void *)data, size};
    bool noted = note_before(descriptor, &all, 1);
    ssize_t sent = real != NULL ? real(descriptor, data, size, flags)
                                : syscall(SYS_sendto, descriptor, data, size, flags, NULL, 0);

    if (!noted)
        tg_hellos_sent(descriptor, &all, 1, sent);
    return sent;
}

TG_API ssize_t sendto(int descriptor, const void *data, size_t size, int flags,
                      const struct sockaddr *address, socklen_t length)
{
    __typeof__(&sendto) real = tg_resolve_libc(TG_SENDTO);

    const struct iovec all = {(void *)data, size};

    tg_hellos_note(descriptor, &all, 1, address, length);
    return real != NULL ? real(descriptor, data, size, flags, address, length)
                        : syscall(SYS_sendto, descriptor, data, size, flags, address, length);
}

TG_API ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags)
{
    __typeof__(&sendmsg) real = tg_resolve_libc(TG_SENDMSG);

    if (tg_hellos_started())
        (void)note_message(descriptor, message);
    return real != NULL ? real(descriptor, message, flags)
                        : syscall(SYS_sendmsg, descriptor, message, flags);
}

TG_API int sendmmsg(int descriptor, struct mmsghdr *messages, unsigned count, tg_libc_flags flags)
{
    __typeof__(&sendmmsg) real = tg_resolve_libc(TG_SENDMMSG);

    for (unsigned i = 0; tg_hellos_started() && i < count && i < IOV_MAX; i++)
        if (!note_message(descriptor, &messages[i].msg_hdr))
            break;
    return real != NULL ? real(descriptor, messages, count, flags)
                        : (int)syscall(SYS_sendmmsg, descriptor, messages, count, flags);
}
