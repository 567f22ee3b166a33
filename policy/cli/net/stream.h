/* stream.h - a TCP connection to a server, and what is said in the clear on it, until a deadline.
 */
#ifndef TG_STREAM_H
#define TG_STREAM_H

#include "address.h"
#include "presented.h"
#include "text.h"
#include "trustgraft.h"

/* A connection. Text that came is kept until it is asked for. */
struct tg_stream {
    int fd;                  /* non-blocking; -1: none */
    int64_t deadline;        /* milliseconds of CLOCK_MONOTONIC, for all that is done on it */
    char peer[TG_PEER_SIZE]; /* "127.0.0.1 port 443" */
    char pending[1024];
    size_t length;
};

/*
 * Connects to the first of ADDRESSES that lets it, each getting its share of the time left. On
 * failure STREAM->fd is -1 and WHY says what happened with each. Close STREAM->fd.
 */
TG_MUST_USE bool tg_stream_open(const struct tg_addresses *addresses, int64_t deadline,
                                struct tg_stream *stream, struct tg_buf *why);

/* Waits for EVENTS of poll(2). False when the time is over. */
TG_MUST_USE bool tg_stream_wait(const struct tg_stream *stream, short events);

/* True if the time is over, or tg_deadline_cancel was called. */
bool tg_stream_is_over(const struct tg_stream *stream);

enum tg_stream_state {
    TG_STREAM_DONE,
    TG_STREAM_CLOSED,  /* by the server, or the connection broke */
    TG_STREAM_TIMEOUT, /* the time is over */
    TG_STREAM_TOO_LONG /* more than any server of the protocol says in a line */
};

/*
 * Reads a line that ends in LF into OUT, without its CR LF. OUT has room for SIZE bytes, what is
 * NUL in it being a question mark. Reads nothing that stands behind it from the socket's buffer
 * that it doesn't keep.
 */
enum tg_stream_state tg_stream_read_line(struct tg_stream *stream, char *out, size_t size);

/* Reads exactly SIZE bytes. */
enum tg_stream_state tg_stream_read(struct tg_stream *stream, void *out, size_t size);

/* Writes all SIZE bytes. */
enum tg_stream_state tg_stream_write(struct tg_stream *stream, const void *bytes, size_t size);

#endif
