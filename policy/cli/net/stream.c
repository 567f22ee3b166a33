#include "stream.h"
#include "address.h"
#include "deadline.h"
#include "text.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- connecting --------------------------------------------------------------------------- */

static void name_peer(const struct sockaddr_storage *peer, char *out, size_t size)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)peer;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)peer;
    const bool is_four = peer->ss_family == AF_INET;
    const void *address = is_four ? (const void *)&four->sin_addr : (const void *)&six->sin6_addr;
    char text[INET6_ADDRSTRLEN] = "?";

    inet_ntop(peer->ss_family, address, text, sizeof(text));
    snprintf(out, size, "%s port %u", text, ntohs(is_four ? four->sin_port : six->sin6_port));
}

/* Connects FD until DEADLINE; 0, or an errno value. */
static int reach(int fd, const struct sockaddr_storage *peer, socklen_t length, int64_t deadline)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (connect(fd, (const struct sockaddr *)peer, length) == 0)
        return 0;
    if (errno != EINPROGRESS && errno != EINTR)
        return errno;
    if (!tg_deadline_poll(fd, POLLOUT, deadline))
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1 ? errno : error;
}

static const char *failure(int error)
{
    if (error == ECONNREFUSED)
        return "the connection is refused: nothing listens there";
    if (error == ETIMEDOUT)
        return "no answer: the time is over";
    return strerror(error);
}

bool tg_stream_open(const struct tg_addresses *addresses, int64_t deadline,
                    struct tg_stream *stream, struct tg_buf *why)
{
    *stream = (struct tg_stream){.fd = -1, .deadline = deadline};
    for (size_t i = 0; i < addresses->count; i++) {
        const struct sockaddr_storage *peer = &addresses->at[i].socket;
        int64_t share = (deadline - tg_deadline_in(0)) / (int64_t)(addresses->count - i);
        int fd = socket(peer->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int error =
            fd == -1 ? errno : reach(fd, peer, addresses->at[i].length, tg_deadline_in(0) + share);

        name_peer(peer, stream->peer, sizeof(stream->peer));
        if (error == 0) {
            stream->fd = fd;
            return true;
        }
        tg_buf_printf(why, "%s%s: %s", i > 0 ? "; " : "", stream->peer, failure(error));
        if (fd != -1)
            close(fd);
    }
    return false;
}

/* ---- text --------------------------------------------------------------------------------- */

bool tg_stream_wait(const struct tg_stream *stream, short events)
{
    return tg_deadline_poll(stream->fd, events, stream->deadline);
}

bool tg_stream_is_over(const struct tg_stream *stream)
{
    return tg_deadline_cancelled() || tg_deadline_in(0) >= stream->deadline;
}

/* Reads what has come into `pending`, or waits for it. */
static enum tg_stream_state fill(struct tg_stream *stream)
{
    size_t room = sizeof(stream->pending) - stream->length;

    for (;;) {
        ssize_t got = read(stream->fd, stream->pending + stream->length, room);

        if (got > 0) {
            stream->length += (size_t)got;
            return TG_STREAM_DONE;
        }
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            return TG_STREAM_CLOSED;
        if (errno == EAGAIN && !tg_stream_wait(stream, POLLIN))
            return TG_STREAM_TIMEOUT;
    }
}

/* Moves the first SIZE bytes of `pending` to OUT. */
static void take(struct tg_stream *stream, void *out, size_t size)
{
    memcpy(out, stream->pending, size);
    stream->length -= size;
    memmove(stream->pending, stream->pending + size, stream->length);
}

enum tg_stream_state tg_stream_read_line(struct tg_stream *stream, char *out, size_t size)
{
    enum tg_stream_state state = TG_STREAM_DONE;
    const char *end;
    size_t length;

    while ((end = memchr(stream->pending, '\n', stream->length)) == NULL) {
        if (stream->length >= sizeof(stream->pending))
            return TG_STREAM_TOO_LONG;
        state = fill(stream);
        if (state != TG_STREAM_DONE)
            return state;
    }
    length = (size_t)(end - stream->pending) + 1;
    if (length > size)
        return TG_STREAM_TOO_LONG;
    take(stream, out, length);
    out[--length] = '\0';
    if (length > 0 && out[length - 1] == '\r')
        out[--length] = '\0';
    for (size_t i = 0; i < length; i++)
        if (out[i] == '\0')
            out[i] = '?';
    return TG_STREAM_DONE;
}

enum tg_stream_state tg_stream_read(struct tg_stream *stream, void *out, size_t size)
{
    if (size > sizeof(stream->pending))
        return TG_STREAM_TOO_LONG;
    while (stream->length < size) {
        enum tg_stream_state state = fill(stream);

        if (state != TG_STREAM_DONE)
            return state;
    }
    take(stream, out, size);
    return TG_STREAM_DONE;
}

enum tg_stream_state tg_stream_write(struct tg_stream *stream, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t sent = send(stream->fd, at, size, MSG_NOSIGNAL);

        if (sent > 0) {
            at += sent;
            size -= (size_t)sent;
        } else if (sent == -1 && errno == EAGAIN) {
            if (!tg_stream_wait(stream, POLLOUT))
                return TG_STREAM_TIMEOUT;
        } else if (sent == 0 || errno != EINTR) {
            return TG_STREAM_CLOSED;
        }
    }
    return TG_STREAM_DONE;
}
