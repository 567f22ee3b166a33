#include "dial.h"
#include "resolve.h"
#include "text.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
    struct timespec time = {0};

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static atomic_bool cancelled;

void tg_dial_cancel(void)
{
    atomic_store(&cancelled, true);
}

bool tg_dial_cancelled(void)
{
    return atomic_load(&cancelled);
}

int64_t tg_dial_deadline(int seconds)
{
    return now() + (int64_t)seconds * 1000;
}

static bool wait_until(int fd, short events, int64_t deadline)
{
    struct pollfd one = {.fd = fd, .events = events};
    int64_t left;
    int ready = 0;

    while (!tg_dial_cancelled() && (left = deadline - now()) > 0) {
        ready = poll(&one, 1, left < TG_DIAL_SLICE ? (int)left : TG_DIAL_SLICE);
        if (ready > 0 || (ready == -1 && errno != EINTR))
            break;
    }
    return ready > 0;
}

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
    if (!wait_until(fd, POLLOUT, deadline))
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

bool tg_dial(const struct tg_addresses *addresses, int64_t deadline, struct tg_line *line,
             struct tg_buf *why)
{
    *line = (struct tg_line){.fd = -1, .deadline = deadline};
    for (size_t i = 0; i < addresses->count; i++) {
        const struct sockaddr_storage *peer = &addresses->at[i].socket;
        int64_t share = (deadline - now()) / (int64_t)(addresses->count - i);
        int fd = socket(peer->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int error = fd == -1 ? errno : reach(fd, peer, addresses->at[i].length, now() + share);

        name_peer(peer, line->peer, sizeof(line->peer));
        if (error == 0) {
            line->fd = fd;
            return true;
        }
        tg_buf_printf(why, "%s%s: %s", i > 0 ? "; " : "", line->peer, failure(error));
        if (fd != -1)
            close(fd);
    }
    return false;
}

/* ---- text --------------------------------------------------------------------------------- */

bool tg_line_wait(const struct tg_line *line, short events)
{
    return wait_until(line->fd, events, line->deadline);
}

bool tg_line_is_over(const struct tg_line *line)
{
    return tg_dial_cancelled() || now() >= line->deadline;
}

/* Reads what has come into `pending`, or waits for it. */
static enum tg_line_state fill(struct tg_line *line)
{
    size_t room = sizeof(line->pending) - line->length;

    for (;;) {
        ssize_t got = read(line->fd, line->pending + line->length, room);

        if (got > 0) {
            line->length += (size_t)got;
            return TG_LINE_READ;
        }
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            return TG_LINE_CLOSED;
        if (errno == EAGAIN && !tg_line_wait(line, POLLIN))
            return TG_LINE_TIMEOUT;
    }
}

/* Moves the first SIZE bytes of `pending` to OUT. */
static void take(struct tg_line *line, void *out, size_t size)
{
    memcpy(out, line->pending, size);
    line->length -= size;
    memmove(line->pending, line->pending + size, line->length);
}

enum tg_line_state tg_line_get(struct tg_line *line, char *out, size_t size)
{
    enum tg_line_state state = TG_LINE_READ;
    const char *end;
    size_t length;

    while ((end = memchr(line->pending, '\n', line->length)) == NULL) {
        if (line->length >= sizeof(line->pending))
            return TG_LINE_TOO_LONG;
        state = fill(line);
        if (state != TG_LINE_READ)
            return state;
    }
    length = (size_t)(end - line->pending) + 1;
    if (length > size)
        return TG_LINE_TOO_LONG;
    take(line, out, length);
    out[--length] = '\0';
    if (length > 0 && out[length - 1] == '\r')
        out[--length] = '\0';
    for (size_t i = 0; i < length; i++)
        if (out[i] == '\0')
            out[i] = '?';
    return TG_LINE_READ;
}

enum tg_line_state tg_line_read(struct tg_line *line, void *out, size_t size)
{
    if (size > sizeof(line->pending))
        return TG_LINE_TOO_LONG;
    while (line->length < size) {
        enum tg_line_state state = fill(line);

        if (state != TG_LINE_READ)
            return state;
    }
    take(line, out, size);
    return TG_LINE_READ;
}

enum tg_line_state tg_line_write(struct tg_line *line, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t sent = send(line->fd, at, size, MSG_NOSIGNAL);

        if (sent > 0) {
            at += sent;
            size -= (size_t)sent;
        } else if (sent == -1 && errno == EAGAIN) {
            if (!tg_line_wait(line, POLLOUT))
                return TG_LINE_TIMEOUT;
        } else if (sent == 0 || errno != EINTR) {
            return TG_LINE_CLOSED;
        }
    }
    return TG_LINE_READ;
}
